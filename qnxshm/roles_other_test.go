//go:build !linux

package qnxshm_test

func playRole() {}
