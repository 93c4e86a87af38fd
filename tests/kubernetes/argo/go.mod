// Pins the module that carries the resource definitions of Argo Rollouts; nothing of it is compiled.
module assay/tests/kubernetes/argo

go 1.24.0

require github.com/argoproj/argo-rollouts v1.8.3
