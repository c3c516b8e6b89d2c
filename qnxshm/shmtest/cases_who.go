package shmtest

import (
	"os"
	"slices"

	"github.com/go-qnx/shm/qnxshm/qnxmsg"
)

// isThis checks that a client has the pid, and this process's user and groups, as
// workers have.
func (c *trial) isThis(info qnxmsg.ClientInfo, pid int) {
	equal(c, "pid", info.PID, pid)
	for _, uid := range []int{info.RealUID, info.EffectiveUID, info.SavedUID} {
		equal(c, "user", uid, os.Getuid())
	}
	for _, gid := range []int{info.RealGID, info.EffectiveGID, info.SavedGID} {
		equal(c, "group", gid, os.Getgid())
	}
	groups, err := os.Getgroups()
	c.must("getgroups", err)
	slices.Sort(groups)
	got := slices.Sorted(slices.Values(info.Groups))
	if target { // a target tells eight at most
		groups = slices.DeleteFunc(groups, func(g int) bool { return !slices.Contains(got, g) })
	}
	if !slices.Equal(got, groups) {
		c.errorf("groups: got %v, want %v", got, groups)
	}
}

var whoCases = map[string]caseFunc{
	"who/thread": func(c *trial) {
		ch, name := c.server()
		w := c.worker()
		conn := w.openName(name)
		var answers []*call
		var messages []qnxmsg.Message
		seen := make(map[int]bool)
		for range 5 {
			answers = append(answers, w.send(conn, text, patience))
			m := c.receive(ch)
			if m.Info.TID <= 0 || seen[m.Info.TID] {
				c.errorf("thread %d, after those of %v", m.Info.TID, seen)
			}
			seen[m.Info.TID] = true
			messages = append(messages, m)
		}
		for i := range messages {
			c.must("reply", messages[i].Reply(0, nil))
			c.replied(answers[i])
		}
	},
	"who/priority": func(c *trial) {
		_, _, _, m, answer := c.asked()
		if m.Info.Priority < 1 || m.Info.Priority > 255 || m.Info.Priority != 10 && !target {
			c.errorf("priority %d", m.Info.Priority)
		}
		c.must("reply", m.Reply(0, nil))
		c.replied(answer)
	},
	"who/server": func(c *trial) {
		w := c.worker()
		name := uniqueName()
		named := w.attach(name)
		plain := w.must(request{Op: "channel"})
		for ch, conn := range map[ref]*qnxmsg.Connection{named: c.client(name), plain.Ref: c.connect(w.pid(), plain.N)} {
			info, err := conn.ServerInfo()
			c.must("ask", err)
			answer := goSend(conn, text, patience)
			m := w.receive(ch)
			w.must(request{Op: "reply", Ref: m.Ref})
			c.must("send", (<-answer).err)
			equal(c, "server", info, qnxmsg.ServerInfo{PID: w.pid(), ChannelID: m.Info.ChannelID, SCOID: m.Info.SCOID})
		}
	},
	"who/client": func(c *trial) {
		ch, w, _, m, answer := c.asked()
		info, err := ch.ClientInfo(m.Info.SCOID)
		c.must("ask", err)
		c.isThis(info, w.pid())
		c.must("reply", m.Reply(0, nil))
		c.replied(answer)
	},
	"who/client-of-pulse": func(c *trial) {
		ch, name := c.server()
		w := c.worker()
		w.must(request{Op: "pulse", Ref: w.openName(name), N: 1})
		info, err := ch.ClientInfo(c.receivePulse(ch).SCOID)
		c.must("ask", err)
		c.isThis(info, w.pid())
	},
	"who/self": func(c *trial) {
		info, err := c.channel(0).ClientInfo(-1)
		c.must("ask", err)
		c.isThis(info, os.Getpid())
	},
	"who/unknown-scoid": func(c *trial) {
		ch := c.channel(0)
		for _, scoid := range append(wide(-1), 0, 1, 0x7fffffff, -2) {
			_, err := ch.ClientInfo(scoid)
			c.errno("ask", err)
		}
	},
	"who/client-gone": func(c *trial) {
		ch, name := c.server()
		w := c.worker()
		conn := w.openName(name)
		scoid := c.introduced(ch, w, conn)
		w.close(conn)
		c.disconnectedNotDetached(ch, scoid)
		_, err := ch.ClientInfo(scoid)
		c.errno("ask", err)
		c.must("detach", ch.DetachClient(scoid))
		_, err = ch.ClientInfo(scoid)
		c.errno("ask after it was detached", err)
	},
}
