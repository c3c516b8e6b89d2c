//go:build linux

package hostile_test

var costCommands = map[string]func(*node, arguments) ([]any, error){}
