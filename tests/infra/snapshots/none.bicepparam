using '../../../infra/main.bicep'

// All defaults.
param environmentName = 'prod'
param location = 'westeurope'
param purviewAccountName = 'contoso'
