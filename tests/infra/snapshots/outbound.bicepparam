using '../../../infra/main.bicep'

// Private endpoints, a service principal, restricted senders, a folder that is collected, an event hub.
param environmentName = 'prod'
param location = 'westeurope'
param purviewAccountName = 'contoso'
param purviewAccountId = '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-purview/providers/Microsoft.Purview/accounts/contoso'
param network = 'outbound'
param allowedAddresses = ['203.0.113.7/32', '198.51.100.0/24']
param servicePrincipalClientId = '11111111-1111-1111-1111-111111111111'
param servicePrincipalTenantId = '22222222-2222-2222-2222-222222222222'
param eventFolders = ['https://onelake.blob.fabric.microsoft.com/Sales/Sales.Lakehouse/Files/Lineage']
param eventHub = true
param alertEmail = 'operators@example.com'
param settings = { LINEAGE_WINDOW_DAYS: '60', PURVIEW_COLLECTION: 'abcdef' }
