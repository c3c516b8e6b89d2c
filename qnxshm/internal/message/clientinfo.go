//go:build linux

package message

import (
	"syscall"

	"github.com/go-qnx/shm/qnxshm/internal/linux"
	"golang.org/x/sys/unix"
)

// ConnectClientInfo is ConnectClientInfo; scoid -1 is the calling process.
func ConnectClientInfo(scoid int) (ClientInfo, error) {
	if scoid == -1 {
		return ownInfo(), nil
	}
	for _, ch := range channels.all() {
		if cl := ch.client(scoid); cl != nil {
			return cl.info()
		}
	}
	return ClientInfo{}, syscall.EINVAL
}

func ownInfo() (info ClientInfo) {
	info.PID = unix.Getpid()
	info.SID, _ = unix.Getsid(0)
	info.UID, info.GID, info.Groups = linux.OwnCredentials()
	return info
}

// info tells about the client while its process has a connection. What the kernel has
// told of the connection stands for what it does not tell of the process.
func (cl *client) info() (ClientInfo, error) {
	if cl.local != nil {
		return ownInfo(), cl.stays()
	}
	uid, gid := int(cl.peer.UID), int(cl.peer.GID)
	info := ClientInfo{PID: cl.peer.PID, Credentials: Credentials{UID: [3]int{uid, uid, uid}, GID: [3]int{gid, gid, gid}}}
	if u, g, groups, err := linux.CredentialsOf(info.PID); err == nil {
		info.Credentials = Credentials{u, g, groups}
	}
	info.SID, _ = unix.Getsid(info.PID)
	return info, cl.stays()
}

// stays reports EINVAL when the client is gone, and perhaps another process has its pid.
func (cl *client) stays() error {
	ch := cl.channel
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if cl.ended || cl.conn != nil && cl.conn.PeerExited() {
		return syscall.EINVAL
	}
	return nil
}
