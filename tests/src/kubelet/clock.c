/* Linked into the probe for the tests only (--wrap=clock_gettime): the clock of a node is what the world says. */
#include <stdlib.h>
#include <time.h>

int __real_clock_gettime(clockid_t clock, struct timespec *time);

int __wrap_clock_gettime(clockid_t clock, struct timespec *time) {
    int result = __real_clock_gettime(clock, time);
    const char *seconds = getenv("IRSA_TEST_CLOCK");
    if (result == 0 && clock == CLOCK_REALTIME && seconds != NULL) time->tv_sec += atoll(seconds);
    return result;
}
