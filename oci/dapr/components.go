// Package components takes the place of Dapr's package of this name, which registers every component there is: here are
// those that the manifests in dapr/ use, in the versions that the module of Dapr asks for.
package components

import (
	"github.com/dapr/components-contrib/nameresolution/kubernetes"
	"github.com/dapr/components-contrib/pubsub/jetstream"
	"github.com/dapr/components-contrib/secretstores/local/env"
	"github.com/dapr/components-contrib/secretstores/local/file"
	"github.com/dapr/components-contrib/state/mysql"

	nameResolutions "github.com/dapr/dapr/pkg/components/nameresolution"
	pubsubs "github.com/dapr/dapr/pkg/components/pubsub"
	secretStores "github.com/dapr/dapr/pkg/components/secretstores"
	states "github.com/dapr/dapr/pkg/components/state"
)

func init() {
	nameResolutions.DefaultRegistry.RegisterComponent(kubernetes.NewResolver, "kubernetes")
	pubsubs.DefaultRegistry.RegisterComponent(jetstream.NewJetStream, "jetstream")
	secretStores.DefaultRegistry.RegisterComponent(env.NewEnvSecretStore, "local.env")
	secretStores.DefaultRegistry.RegisterComponent(file.NewLocalSecretStore, "local.file")
	states.DefaultRegistry.RegisterComponent(mysql.NewMySQLStateStore, "mysql")
}
