// Command pulumi-resource-kubernetes serves the Kubernetes provider to the Pulumi engine.
//
// The upstream command embeds a 25 MB schema that only `pulumi schema` and SDK
// generation read. govhub asks for neither, so an empty schema is served instead.
package main

import (
	"os"
	"time"

	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/provider"
)

func main() {
	go exitWithParent()
	provider.Serve("kubernetes", "4.25.0", []byte(`{"name":"kubernetes","version":"4.25.0"}`), []byte(`{}`))
}

// exitWithParent ends the provider when the engine that started it is gone.
//
// Upstream asks the engine every five minutes whether it still lives. A provider that
// outlives a killed engine by minutes still finishes its writes, behind the back of the
// run that recovers; half a second is short enough for that run to wait out.
func exitWithParent() {
	parent := os.Getppid()
	for range time.Tick(200 * time.Millisecond) {
		if os.Getppid() != parent {
			os.Exit(1)
		}
	}
}
