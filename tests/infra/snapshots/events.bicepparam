using '../../../infra/events.bicep'

param functionAppName = 'func-kayr5sznvbxxw'
param storageAccountName = 'stkayr5sznvbxxw'
