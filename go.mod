module github.com/go-qnx/shm

go 1.24

require (
	github.com/stretchr/testify v1.12.1
	golang.org/x/sys v0.41.0
)
