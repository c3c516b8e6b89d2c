package qnxmsg

import "github.com/go-qnx/shm/qnxshm/internal/qnxerr"

// ClientInfo tells about a client process (struct _client_info).
type ClientInfo struct {
	PID int
	SID int // its session

	RealUID, EffectiveUID, SavedUID int
	RealGID, EffectiveGID, SavedGID int
	Groups                          []int // supplementary
}

// ClientInfo tells about the client scoid, which [Info] of a message names, or a pulse:
// who it is, and as which user and groups it runs. With scoid -1 it tells about the
// calling process.
//
// Errors:
//
//	EINVAL  no such client, or it is gone
//
// Host and target: a target tells at most 8 groups. Where the host's /proc does not
// tell about the client, the ids are those of its connection, without groups.
//
// Since QNX SDP 6.
//
// Implements: int ConnectClientInfo(int scoid, struct _client_info *info, int ngroups)
func (c *Channel) ClientInfo(scoid int) (ClientInfo, error) {
	if !c.enter() {
		return ClientInfo{}, qnxerr.Closed("qnxmsg: Channel.ClientInfo")
	}
	defer c.gate.Leave()
	info, err := clientInfo(scoid)
	if err != nil {
		return ClientInfo{}, wrap(err, "ConnectClientInfo", "scoid %#x", scoid)
	}
	return info, nil
}
