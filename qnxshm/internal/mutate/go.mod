// The mutation test, apart from the module so that its users do not inherit it.
module github.com/go-qnx/shm/qnxshm/internal/mutate

go 1.24.0

require (
	github.com/go-qnx/shm v0.0.0
	github.com/stretchr/testify v1.12.1
)

require (
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/sys v0.41.0 // indirect
)

replace github.com/go-qnx/shm => ../../..
