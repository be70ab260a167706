// A vault for the only possible secret: that of a service principal, if the app's identity has no access to Purview.
// The template never contains it; infra/secret.sh stores it.
import { resourceTags } from 'types.bicep'

param name string
param location string
param tags resourceTags

@description('Whether it can be reached without a private endpoint.')
param isPublic bool

@description('The identity that reads the secret.')
param identityName string

@description('The workspace for the log of who read the secret.')
param workspaceName string

var secretsUser = '4633458b-17de-408a-b874-0445c86b69e6'

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: identityName
}

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' existing = {
  name: workspaceName
}

resource vault 'Microsoft.KeyVault/vaults@2026-02-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: subscription().tenantId
    sku: { family: 'A', name: 'standard' }
    enableRbacAuthorization: true
    enableSoftDelete: true
    publicNetworkAccess: isPublic ? 'Enabled' : 'Disabled'
    networkAcls: {
      defaultAction: isPublic ? 'Allow' : 'Deny'
      bypass: 'AzureServices'
    }
  }
}

resource onVault 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault.id, identity.id, secretsUser)
  scope: vault
  properties: {
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', secretsUser)
  }
}

#disable-next-line use-recent-api-versions // There is no newer one; every Microsoft sample has it.
resource audit 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: vault
  name: 'audit'
  properties: {
    workspaceId: workspace.id
    logs: [{ category: 'AuditEvent', enabled: true }]
  }
}
