//! Questions that several subjects have in common.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

/// Answers by what was asked. Whoever asks again, even at the same time, gets the one answer.
#[derive(Debug)]
pub struct Once<Q, A>(Mutex<HashMap<Q, Arc<OnceCell<A>>>>);

impl<Q, A> Default for Once<Q, A> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<Q: Eq + Hash, A: Clone> Once<Q, A> {
    /// The answer, which `ask` gets if nobody has asked that yet.
    pub async fn answer(&self, question: Q, ask: impl Future<Output = A>) -> A {
        let cell = {
            let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(known.entry(question).or_default())
        };
        cell.get_or_init(|| ask).await.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test]
    async fn whoever_asks_at_the_same_time_gets_the_same_answer() {
        let (once, asked) = (Once::default(), Cell::new(0));
        let ask = |question: &'static str| {
            once.answer(question, async {
                asked.set(asked.get() + 1);
                tokio::task::yield_now().await;
                asked.get()
            })
        };
        assert_eq!(tokio::join!(ask("a"), ask("a"), ask("b")), (2, 2, 2));
        assert_eq!((ask("a").await, asked.get()), (2, 2));
    }
}
