// Alerts on the log that docs/operations.md describes.
import { resourceTags } from 'types.bicep'

param location string
param tags resourceTags

@description('The Application Insights component that has the log.')
param insightsId string

@description('Makes the names unique.')
param nameSuffix string

@description('Who gets an e-mail; empty: nobody.')
param email string

@description('Whether Event Grid delivers events. If not, the timer finds all of them, which is no reason for an alert.')
param hasEventGrid bool

@description('Whether events are collected from files.')
param hasCollector bool

var rules = [
  {
    name: 'dead-letters'
    description: 'A run was given up. `sparklin show` gives the reason, `sparklin replay --dead-letters` tries it again.'
    severity: 1
    window: 'PT15M'
    operator: 'GreaterThan'
    threshold: 0
    query: '''
traces
| where message startswith "step {"
| extend step = parse_json(substring(message, 5))
| where tostring(step.outcome) in ("dead-lettered", "DeadLettered")
'''
  }
  {
    name: 'many-retries'
    description: 'Purview or storage has been unavailable for many runs. They are retried for a day.'
    severity: 2
    window: 'PT1H'
    operator: 'GreaterThan'
    threshold: 20
    query: '''
traces
| where message startswith "step {"
| extend step = parse_json(substring(message, 5))
| where tostring(step.step) == "retry" and tostring(step.outcome) == "retried"
'''
  }
  {
    name: 'purview-denied'
    description: 'Purview does not let the app in. Runs are retried for a day; the line in the log says what to grant.'
    severity: 1
    window: 'PT15M'
    operator: 'GreaterThan'
    threshold: 0
    query: '''
traces
| where message startswith "step {"
| extend step = parse_json(substring(message, 5))
| where tostring(step.step) == "circuit" and tostring(step.outcome) == "denied"
'''
  }
  {
    name: 'poison-messages'
    description: 'Messages stay in a poison queue: no function can read or process them. `sparklin doctor` names the queue.'
    severity: 2
    // The timer reports them every five minutes; a function takes readable ones within seconds.
    window: 'PT30M'
    operator: 'GreaterThan'
    threshold: 2
    query: '''
traces
| where message startswith "step {"
| extend step = parse_json(substring(message, 5))
| where tostring(step.step) == "poison" and tostring(step.outcome) == "waiting"
'''
  }
  {
    name: 'failed-functions'
    description: 'A function ended with an error of its own. The exception is in Application Insights.'
    severity: 2
    window: 'PT15M'
    operator: 'GreaterThan'
    threshold: 0
    query: '''
requests
| where name in ("parse", "retry", "poison", "poison_retry", "sweep", "collect", "receive_stream")
| where success == false
'''
  }
  {
    name: 'refused-events'
    description: 'The receiver answered 401, 403 or 5xx: agents drop such events.'
    severity: 1
    window: 'PT15M'
    operator: 'GreaterThan'
    threshold: 0
    // The host answers a wrong key before it chooses a function: such a request has an address, but not its name.
    query: '''
requests
| where name in ("receive", "receive_legacy", "receive_batch") or url contains "/api/v1/lineage" or url contains "/api/1/lineage"
| where resultCode in ("401", "403") or resultCode startswith "5"
'''
  }
  {
    name: 'timer-stopped'
    description: 'The timer that finds lost events did not run for half an hour: the app does not start, or is stopped.'
    severity: 1
    window: 'PT30M'
    operator: 'LessThan'
    threshold: 1
    query: '''
requests
| where name == "sweep"
'''
  }
]

var eventGridRules = [
  {
    name: 'refused-notifications'
    description: 'Event Grid was turned away: the key blobs_extension was changed. Run infra/subscribe.sh again.'
    severity: 2
    window: 'PT15M'
    operator: 'GreaterThan'
    threshold: 0
    query: '''
requests
| where url contains "/runtime/webhooks/blobs"
| where resultCode in ("401", "403")
'''
  }
  {
    name: 'lost-notifications'
    description: 'The timer found many events that Event Grid did not report. `sparklin doctor` shows whether it reports any.'
    severity: 2
    window: 'PT1H'
    operator: 'GreaterThan'
    threshold: 20
    query: '''
traces
| where message startswith "step {"
| extend step = parse_json(substring(message, 5))
| where tostring(step.step) == "sweep" and tostring(step.outcome) == "enqueued"
| where tostring(step.reason) == "its notification got lost, or is late"
'''
  }
]

var collectorRules = [
  {
    name: 'collector-stopped'
    description: 'No folder was collected for half an hour: the function collect does not run, or fails for all folders.'
    severity: 1
    window: 'PT30M'
    operator: 'LessThan'
    threshold: 1
    query: '''
traces
| where message startswith "step {"
| extend step = parse_json(substring(message, 5))
| where tostring(step.step) == "collect" and tostring(step.outcome) == "collected"
'''
  }
  {
    name: 'folder-not-collected'
    description: 'A folder could not be collected for half an hour. `sparklin status` gives the reason, `sparklin doctor` what to do.'
    severity: 2
    window: 'PT30M'
    operator: 'GreaterThan'
    threshold: 0
    query: '''
traces
| where message startswith "step {"
| extend step = parse_json(substring(message, 5))
| where tostring(step.step) == "collect"
| summarize good = countif(tostring(step.outcome) == "collected") by folder = tostring(step.folder)
| where good == 0
'''
  }
]

resource recipients 'Microsoft.Insights/actionGroups@2023-01-01' = if (!empty(email)) {
  name: 'ag-${nameSuffix}'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'sparklin'
    enabled: true
    emailReceivers: [
      {
        name: 'operators'
        emailAddress: email
        useCommonAlertSchema: true
      }
    ]
  }
}

resource alerts 'Microsoft.Insights/scheduledQueryRules@2026-03-01' = [
  for rule in concat(rules, hasEventGrid ? eventGridRules : [], hasCollector ? collectorRules : []): {
    name: '${rule.name}-${nameSuffix}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: 'Sparklin: ${rule.name}'
      description: rule.description
      enabled: true
      severity: rule.severity
      scopes: [insightsId]
      evaluationFrequency: 'PT15M'
      windowSize: rule.window
      // The tables exist only after the first telemetry.
      skipQueryValidation: true
      autoMitigate: true
      criteria: {
        allOf: [
          {
            query: rule.query
            timeAggregation: 'Count'
            operator: rule.operator
            threshold: rule.threshold
            failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
          }
        ]
      }
      actions: {
        actionGroups: empty(email) ? [] : [recipients.id]
      }
    }
  }
]
