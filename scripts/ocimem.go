// A registry in memory, for tests: of those that can be built here it is the
// one with the referrers endpoint of OCI 1.1. It deletes, too.
//
//	ocimem 127.0.0.1:0
//
// It prints the address it listens on, once it does, and serves until killed.
package main

import (
	"fmt"
	"log"
	"net"
	"net/http"
	"os"

	"cuelabs.dev/go/oci/ociregistry/ocimem"
	"cuelabs.dev/go/oci/ociregistry/ociserver"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: ocimem HOST:PORT")
	}
	listener, err := net.Listen("tcp", os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(listener.Addr())
	log.Fatal(http.Serve(listener, ociserver.New(ocimem.New(), nil)))
}
