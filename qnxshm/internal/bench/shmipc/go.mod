// Another library that sends messages through shared memory, apart from the module so
// that its users do not inherit it.
module github.com/go-qnx/shm/qnxshm/internal/bench/shmipc

go 1.24.0

require (
	github.com/cloudwego/shmipc-go v0.2.0
	github.com/go-qnx/shm v0.0.0
)

require (
	github.com/bytedance/gopkg v0.0.0-20220817015305-b879a72dc90f // indirect
	github.com/go-ole/go-ole v1.2.6 // indirect
	github.com/power-devops/perfstat v0.0.0-20210106213030-5aafc221ea8c // indirect
	github.com/shirou/gopsutil/v3 v3.22.1 // indirect
	github.com/yusufpapurcu/wmi v1.2.2 // indirect
	golang.org/x/sys v0.41.0 // indirect
)

replace github.com/go-qnx/shm => ../../../..
