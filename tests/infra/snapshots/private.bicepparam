using '../../../infra/main.bicep'

// Nothing public, in a sovereign cloud, with an audit log and without soft delete and instances that are always ready.
param environmentName = 'a-name-of-the-forty-characters-allowed-x'
param location = 'usgovvirginia'
param cloud = 'AzureUSGovernment'
param purviewAccountName = 'contoso'
param network = 'private'
param servicePrincipalClientId = '11111111-1111-1111-1111-111111111111'
param alwaysReady = 0
param maximumInstances = 40
param instanceMemory = 4096
param softDeleteDays = 0
param auditLog = true
