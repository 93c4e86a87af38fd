//go:build schemas

// Holds the module that carries the Gateway API's resource definitions, so that go.sum pins it;
// nothing of it is compiled.
package main

import _ "sigs.k8s.io/gateway-api/apis/v1"
