// Asks @cloud-copilot/iam-simulate what `examples/policy_cases.rs` has answered, and explains each difference.
//
// A class of differences is a rewriting of the case: the same question, in a form of which both have the same
// understanding. A difference is explained if the rewritten case is answered as we answered the original one.

import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { loadPolicy } from '@cloud-copilot/iam-policy'

// The package's public functions give no answer for a resource policy alone, so its engine is called.
const engine = './node_modules/@cloud-copilot/iam-simulate/dist/esm'
const { authorize } = await import(`${engine}/core_engine/CoreSimulatorEngine.js`)
const { AwsRequestImpl } = await import(`${engine}/request/request.js`)
const { RequestContextImpl } = await import(`${engine}/requestContext.js`)
const { DiscoveryContextKeyConstraints } = await import(`${engine}/context_keys/discoveryContextKeyConstraints.js`)

const simulationParameters = {
  simulationMode: 'Strict',
  discoveryContextKeyConstraints: new DiscoveryContextKeyConstraints([]),
}

function ask({ kind, policy, principal, action, resource, context }) {
  const loaded = loadPolicy(policy, { name: 'policy' })
  const where = { resource, accountId: '111122223333' }
  return authorize({
    request: new AwsRequestImpl(principal, where, action, new RequestContextImpl(context)),
    identityPolicies: kind === 'identity' ? [loaded] : [],
    resourcePolicy: kind === 'trust' ? loaded : undefined,
    serviceControlPolicies: [],
    resourceControlPolicies: [],
    simulationParameters,
  }).result
}

const list = (value) => (Array.isArray(value) ? value : [value])
const base = (operator) => operator.replace(/^For(All|Any)Values?:/, '').replace(/IfExists$/, '')

// A copy of the case with every value of every condition and resource replaced by `change`, which may give several.
function rewrite(original, change, changeKey = (key, value) => value) {
  const copy = structuredClone(original)
  for (const statement of list(copy.policy.Statement)) {
    for (const name of ['Resource', 'NotResource']) {
      if (name in statement) statement[name] = list(statement[name]).flatMap((value) => change(name, value, original))
    }
    for (const [operator, keys] of Object.entries(statement.Condition ?? {})) {
      for (const key of Object.keys(keys)) {
        keys[key] = list(keys[key]).flatMap((value) => change(base(operator), value, original))
      }
    }
  }
  for (const [key, value] of Object.entries(copy.context)) {
    copy.context[key] = Array.isArray(value) ? value.map((one) => changeKey(key, one)) : changeKey(key, value)
  }
  return copy
}

const isDate = (operator) => operator.startsWith('Date')
const isAddress = (operator) => operator.endsWith('IpAddress')
const isArn = (operator) => /^Arn|Resource$/.test(operator)
const isText = (operator) => isArn(operator) || operator.startsWith('String')
const hasWildcards = (operator) => isArn(operator) || operator.endsWith('Like')
const never = (operator) => (isArn(operator) ? 'arn:never:never:::never' : 'never')
const fromEpoch = (value) => (/^\d{4,}$/.test(value) ? new Date(Number(value) * 1000).toISOString() : value)

// What the documentation makes of `${…}`; undefined if the key is absent and there is no default.
function resolve(operator, inside, { context }) {
  const literal = (text) => (hasWildcards(operator) ? text.replace(/[*?]/g, (c) => `\${${c}}`) : text)
  if (['*', '?', '$'].includes(inside)) return literal(inside)
  const [key, fallback] = inside.split(/,\s*/)
  const name = Object.keys(context).find((known) => known.toLowerCase() === key.toLowerCase())
  return name ? literal(context[name]) : fallback?.replace(/^'(.*)'$/, '$1')
}

// Under the rules of 2012: what `change` makes of a value whose variables are resolved; nothing if it gives nothing.
function replaceVariables(c, change) {
  if (c.policy.Version !== '2012-10-17') return c
  return rewrite(c, (operator, value) => {
    if (!isText(operator)) return value
    const parts = String(value).split(/\$\{(.*?)\}/)
    return change(operator, parts.map((part, index) => (index % 2 ? resolve(operator, part, c) : part))) ?? value
  })
}

const join = (parts) => (parts.includes(undefined) ? undefined : parts.join(''))

const classes = {
  'seconds since 1970 compared with milliseconds': (c) =>
    rewrite(
      c,
      (operator, value) => (isDate(operator) ? fromEpoch(value) : value),
      (key, value) => (key === 'aws:CurrentTime' ? fromEpoch(value) : value)
    ),
  '0.0.0.0/0 contains nothing': (c) =>
    rewrite(c, (operator, value) =>
      isAddress(operator) && value === '0.0.0.0/0' ? ['0.0.0.0/1', '128.0.0.0/1'] : value
    ),
  'an address without prefix, beside one of the other family': (c) =>
    rewrite(c, (operator, value) =>
      isAddress(operator) && !value.includes('/') ? `${value}/${value.includes(':') ? 128 : 32}` : value
    ),
  'variables in a policy of 2008': (c) =>
    c.policy.Version === '2012-10-17'
      ? c
      : rewrite(c, (operator, value) => (String(value).includes('${') ? never(operator) : value)),
  'a variable without value, negated': (c) =>
    replaceVariables(c, (operator, parts) => (parts.includes(undefined) ? never(operator) : undefined)),
  '${*}, ${?} or ${$} where there are no wildcards': (c) =>
    replaceVariables(c, (operator, parts) => (hasWildcards(operator) ? undefined : join(parts))),
  'a variable in an ARN, which is split at the colon within it': (c) =>
    replaceVariables(c, (operator, parts) => (isArn(operator) ? join(parts) : undefined)),
}

function explain(c) {
  const explains = (changed) => ask(changed) === c.decision
  for (const [name, change] of Object.entries(classes)) {
    if (explains(change(c))) return name
  }
  const all = Object.values(classes).reduce((changed, change) => change(changed), c)
  return explains(all) ? 'several of these' : undefined
}

const count = { cases: 0, same: 0, open: {}, explained: {}, unexplained: 0 }
const add = (counts, name) => (counts[name] = (counts[name] ?? 0) + 1)
let milliseconds = 0
for await (const line of createInterface({ input: createReadStream(process.argv[2]) })) {
  const c = JSON.parse(line)
  const start = performance.now()
  const theirs = ask(c)
  milliseconds += performance.now() - start
  count.cases += 1
  if (theirs === c.decision) {
    count.same += 1
  } else if (c.decision === 'Unknown') {
    add(count.open, c.open.join('; '))
  } else {
    const name = explain(c)
    if (name) {
      add(count.explained, name)
    } else {
      count.unexplained += 1
      if (count.unexplained <= 20) console.log(JSON.stringify({ theirs, ...c }))
    }
  }
}
console.log(count)
console.log(`${Math.round(milliseconds)} ms in the oracle`)
process.exitCode = count.unexplained === 0 ? 0 : 1
