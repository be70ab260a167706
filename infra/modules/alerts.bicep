// Alerts on the log that docs/operations.md describes.
param location string
param tags object

@description('The Application Insights component that has the log.')
param insightsId string

@description('Makes the names unique.')
param nameSuffix string

@description('Who is told; empty: nobody.')
param email string

var rules = [
  {
    name: 'dead-letters'
    description: 'A run was given up. `sparklin show` tells why, `sparklin replay --dead-letters` tries again.'
    severity: 1
    window: 'PT15M'
    threshold: 0
    query: '''
traces
| where message startswith "step {"
| extend told = parse_json(substring(message, 5))
| where told.outcome in ("dead-lettered", "DeadLettered")
'''
  }
  {
    name: 'many-retries'
    description: 'Purview or storage has been out of reach for many runs. They are tried again for a day.'
    severity: 2
    window: 'PT1H'
    threshold: 20
    query: '''
traces
| where message startswith "step {"
| extend told = parse_json(substring(message, 5))
| where told.step == "retry" and told.outcome == "retried"
'''
  }
  {
    name: 'failed-functions'
    description: 'A function ended with an error of its own. The exception is in Application Insights.'
    severity: 2
    window: 'PT15M'
    threshold: 0
    query: '''
requests
| where name in ("parse", "retry", "poison", "poison_retry", "sweep")
| where success == false
'''
  }
  {
    name: 'refused-events'
    description: 'The receiver answered 401 or 5xx: agents drop such events.'
    severity: 1
    window: 'PT15M'
    threshold: 0
    query: '''
requests
| where name in ("receive", "receive_legacy", "receive_batch")
| where resultCode == "401" or resultCode startswith "5"
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

resource alerts 'Microsoft.Insights/scheduledQueryRules@2022-06-15' = [for rule in rules: {
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
    // The tables are there only after the first telemetry.
    skipQueryValidation: true
    autoMitigate: true
    criteria: {
      allOf: [
        {
          query: rule.query
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: rule.threshold
          failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
        }
      ]
    }
    actions: {
      actionGroups: empty(email) ? [] : [recipients.id]
    }
  }
}]
