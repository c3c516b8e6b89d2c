package shmtest

import "slices"

// Evidence says why a rule is believed.
type Evidence string

const (
	// Documented: a published QNX manual states it, or follows from what it
	// states in plain words.
	Documented Evidence = "documented"
	// Observed: code or tests of others that run on QNX show it.
	Observed Evidence = "observed"
	// Older: QNX Neutrino 6.4 did so, whose source was published in 2009. Newer
	// releases may do otherwise, and no manual tells.
	Older Evidence = "older"
	// Assumed: no source states it; this is the careful reading, which a
	// target may contradict. Source says what it is inferred from.
	Assumed Evidence = "assumed"
	// Module: what this module does on top of the call, whatever a target
	// answers, or what the host cannot do as a target does.
	Module Evidence = "module"
)

// A Rule is one rule of behaviour.
type Rule struct {
	ID         string   // stable; the name of the rule's case under TestConformance
	Call       string   // the C function it is about
	Condition  string   // when it applies
	Effect     string   // the name of an errno, or what happens
	AlsoAccept []string // what a target may answer as well, "EOK" for success; never counts on the host
	Evidence   Evidence
	Source     string // the document or program, or what an assumption is inferred from
	OnlyC      bool   // only programs in C can meet it
	Since      string // first release that has the call: "" for QNX SDP 7.1 and older, else "8.0"

	// HostDiffers tells how host and target differ here, if they do.
	HostDiffers string
}

// evidenceKinds are all kinds of evidence, the best first.
var evidenceKinds = []Evidence{Documented, Observed, Older, Assumed, Module}

// IsErrno reports whether the effect is an errno, and nothing but that.
func (r *Rule) IsErrno() bool {
	if len(r.Effect) < 3 || r.Effect[0] != 'E' {
		return false
	}
	for _, c := range r.Effect {
		if c < 'A' || c > 'Z' {
			return r.Effect == "E2BIG"
		}
	}
	return true
}

// Ledger returns every rule, grouped by call.
func Ledger() []Rule { return slices.Clone(ledger) }

// The calls.
const (
	cCreate   = "shm_create_handle"
	cSubrange = "shm_create_subrange_handle"
	cOpen     = "shm_open_handle"
	cOpenPID  = "shm_open_handle_pid"
	cDelete   = "shm_delete_handle"
	cShmOpen  = "shm_open"
	cUnlink   = "shm_unlink"
	cTruncate = "ftruncate"
	cMmap     = "mmap"
	cMunmap   = "munmap"
	cProtect  = "mprotect"
	cSync     = "msync"
	cControl  = "shm_ctl"
	cDirect   = "mmap_handle"
	cFrom     = "mmap_handle_pid"
	cRevoke   = "shm_revoke"
	cLimit    = "getrlimit"
	cSetLimit = "setrlimit"
	cChannel  = "ChannelCreate"
	cAttach   = "name_attach"
	cName     = "name_open"
	cConnect  = "ConnectAttach"
	cDetach   = "ConnectDetach"
	cInfo     = "ConnectServerInfo"
	cSend     = "MsgSend"
	cReceive  = "MsgReceive"
	cReply    = "MsgReply"
	cError    = "MsgError"
	cPulse    = "MsgSendPulse"
	cSendv    = "MsgSendv"
	cReplyv   = "MsgReplyv"
	cRead     = "MsgRead"
	cWrite    = "MsgWrite"
	cClient   = "ConnectClientInfo"

	cRegister   = "MsgRegisterEvent"
	cUnregister = "MsgUnregisterEvent"
	cDeliver    = "MsgDeliverEvent"
	cVerify     = "MsgVerifyEvent"
)

// The sources.
const (
	lib70 = "QNX SDP 7.0 C Library Reference, "
	lib71 = "QNX SDP 7.1 C Library Reference, "
	lib80 = "QNX SDP 8.0 C Library Reference, "

	docCreate   = lib71 + "shm_create_handle()"
	docSubrange = lib80 + "shm_create_subrange_handle()"
	docOpen     = lib71 + "shm_open_handle()"
	docDelete   = lib71 + "shm_delete_handle()"
	docShmOpen  = lib70 + "shm_open()"
	docRevoke   = lib80 + "shm_revoke()"
	docControl  = lib70 + "shm_ctl()"
	docUnlink   = lib80 + "shm_unlink()"
	docTruncate = lib70 + "ftruncate()"
	docMmap     = lib71 + "mmap()"
	docGuide    = "QNX SDP 7.1 Programmer's Guide, Shared Memory"
	docArch     = "QNX SDP 7.1 System Architecture, Creating a shared memory object"
	docStarted  = "Getting Started with QNX Neutrino, Message Passing"
	docSend     = lib70 + "MsgSend()"
	docReceive  = lib70 + "MsgReceive()"
	docReply    = lib70 + "MsgReply()"
	docError    = lib70 + "MsgError()"
	docNameOpen = lib70 + "name_open()"
	docDetach   = lib71 + "ConnectDetach()"
	docDetach80 = lib80 + "ConnectDetach()"
	docPulse    = lib71 + "MsgSendPulse()"
	docChannels = "QNX SDP 7.0 System Architecture, Channels and connections"
	docEvent    = lib70 + "MsgDeliverEvent()"
	docChannel  = "QNX SDP 6.6 C Library Reference, ChannelCreateExt()"
	docAttach   = "QNX SDP 6.6 C Library Reference, name_attach()"
	docTimeout  = "QNX SDP 6.5 SP1 C Library Reference, TimerTimeout(): no time means do not block"
	docPulses   = "QNX SDP 8.0 System Architecture, Pulses"
	docFiles    = "QNX SDP 7.1 Programmer's Guide, File descriptors"

	hdr80   = "QNX SDP 8.0 headers"
	score   = "Eclipse S-CORE baselibs, OS-abstraction tests for QNX"
	hdrMman = hdr80 + ", sys/mman.h"
	comms   = "Eclipse S-CORE communication, shared memory"
	course  = "QNX training exercises on shared memory by handle"

	infFits    = "inferred: an integer that does not fit its C type is an invalid value, never a shortened one"
	infOrder   = "inferred: libc can check arguments only before it asks the process manager, and the process manager the descriptor first"
	infKept    = "inferred: the manual ties the implicit delete to a successful conversion"
	infPart    = "inferred: the call would have no purpose if the recipient could reach more than the part"
	infCutOff  = infModule + "; published QNX Neutrino 6.4 source refuses it, newer manuals are silent"
	infSilent  = "inferred: telling more would confirm a guessed handle"
	infLife    = "inferred: no manual says it; programs must not depend on more"
	infPOSIX   = "POSIX, mmap()"
	infLimit   = "POSIX, setrlimit()"
	infLayout  = docGuide + ": nobody can change the layout of a sealed object"
	infAsOpen  = "inferred from shm_open_handle(): the manual of mmap_handle() lists no errno for handles"
	infUsed    = docGuide + ": mapping uses the handle up; the errno is inferred from shm_open_handle()"
	infOld     = "published QNX Neutrino 6.4 source; newer manuals are silent"
	infRevoke  = "inferred: the manual's list of errors was not available, and no program shows them"
	infModule  = "a rule of this module"
	infBlocked = "inferred from the states of a blocked client in " + docStarted
)

const (
	diffOther   = "On the target whatever is behind the descriptor answers."
	diffCutOff  = "A target may refuse to detach a client that is still connected (EINVAL)."
	diffMemory  = "A target has such memory."
	diffConfirm = "On the target the kernel takes memory away: a stopped process does not matter."
	diffStopped = "On the target the kernel keeps handles: a stopped maker does not matter."
)

var ledger = slices.Concat(rules, pieceRules, whoRules, eventRules, serveRules, onlyC(cRules))

func onlyC(rules []Rule) []Rule {
	for i := range rules {
		rules[i].OnlyC = true
	}
	return rules
}

var rules = []Rule{
	// shm_create_handle
	{ID: "create/access-two-modes", Call: cCreate, Condition: "access is more than one mode", Effect: "EINVAL", Evidence: Documented, Source: docCreate},
	{ID: "create/access-other-bits", Call: cCreate, Condition: "access has bits besides the mode", Effect: "EINVAL", Evidence: Documented, Source: docCreate},
	{ID: "create/options-unknown", Call: cCreate, Condition: "unknown option bits", Effect: "EINVAL", Evidence: Assumed, Source: hdr80 + ", sys/mman.h: the mask of valid options"},
	{ID: "create/fd-negative", Call: cCreate, Condition: "fd is negative", Effect: "EBADF", Evidence: Observed, Source: score},
	{ID: "create/fd-not-open", Call: cCreate, Condition: "fd is not open", Effect: "EBADF", Evidence: Documented, Source: docCreate},
	{ID: "create/fd-out-of-range", Call: cCreate, Condition: "fd does not fit a descriptor", Effect: "EBADF", Evidence: Module, Source: infFits},
	{ID: "create/fd-not-memory", Call: cCreate, Condition: "fd is a file, a directory or a pipe", Effect: "EBADF", AlsoAccept: []string{"ENOSYS", "ENOTSUP", "EINVAL", "EPERM", "EACCES", "ENOTTY"}, Evidence: Assumed, Source: "inferred: the manual takes descriptors of shared-memory objects only", HostDiffers: diffOther},
	{ID: "create/read-only-fd-gives-write", Call: cCreate, Condition: "access O_RDWR or O_WRONLY, fd open for reading only", Effect: "EACCES", Evidence: Documented, Source: docCreate},
	{ID: "create/write-only-fd-gives-read", Call: cCreate, Condition: "access O_RDONLY or O_RDWR, fd open for writing only", Effect: "EACCES", Evidence: Documented, Source: docCreate},
	{ID: "create/no-such-process", Call: cCreate, Condition: "no process pid", Effect: "ESRCH", Evidence: Documented, Source: docCreate},
	{ID: "create/zombie", Call: cCreate, Condition: "process pid has ended and was not waited for", Effect: "ESRCH", Evidence: Assumed, Source: "inferred: there is no address space left to give memory to"},
	{ID: "create/pid-zero", Call: cCreate, Condition: "pid 0", Effect: "ESRCH", Evidence: Assumed, Source: "inferred: nothing says that 0 is the caller here"},
	{ID: "create/pid-negative", Call: cCreate, Condition: "pid is negative", Effect: "ESRCH", Evidence: Assumed, Source: "inferred: not a valid process"},
	{ID: "create/pid-out-of-range", Call: cCreate, Condition: "pid does not fit pid_t", Effect: "ESRCH", Evidence: Module, Source: infFits},
	{ID: "create/own-pid", Call: cCreate, Condition: "pid is the caller's own", Effect: "works: the caller opens the handle", Evidence: Observed, Source: score},
	{ID: "create/size-zero", Call: cCreate, Condition: "the object has size 0", Effect: "works; the object can grow later", Evidence: Observed, Source: score},
	{ID: "create/fd-from-handle", Call: cCreate, Condition: "fd came from a handle", Effect: "works: the recipient passes the object on to a third process", Evidence: Documented, Source: docCreate},
	{ID: "create/fd-from-handle-access", Call: cCreate, Condition: "fd came from a read-only handle, access O_RDWR", Effect: "EACCES", Evidence: Documented, Source: docCreate},
	{ID: "create/fd-duplicate", Call: cCreate, Condition: "fd is a duplicate of a descriptor", Effect: "works", Evidence: Documented, Source: docFiles + ": duplicates share what is open"},
	{ID: "create/fd-stays", Call: cCreate, Condition: "success", Effect: "fd is only lent: it serves for more handles", Evidence: Documented, Source: docCreate},
	{ID: "create/distinct", Call: cCreate, Condition: "success", Effect: "every handle has another value, never 0 or all ones", Evidence: Assumed, Source: docCreate + ": a handle is unique; programs use 0 and -1 for none"},
	{ID: "create/several-recipients", Call: cCreate, Condition: "handles of one object for several processes", Effect: "each process opens its own, all share the memory", Evidence: Documented, Source: docGuide},
	{ID: "create/order-access-fd", Call: cCreate, Condition: "bad access and bad fd", Effect: "EINVAL", Evidence: Assumed, Source: infOrder},
	{ID: "create/order-options-fd", Call: cCreate, Condition: "unknown options and bad fd", Effect: "EINVAL", Evidence: Assumed, Source: infOrder},
	{ID: "create/order-access-pid", Call: cCreate, Condition: "bad access and no process pid", Effect: "EINVAL", Evidence: Assumed, Source: infOrder},
	{ID: "create/order-fd-pid", Call: cCreate, Condition: "bad fd and no process pid", Effect: "EBADF", Evidence: Assumed, Source: infOrder},
	{ID: "create/order-mode-pid", Call: cCreate, Condition: "more access than fd has and no process pid", Effect: "EACCES", AlsoAccept: []string{"ESRCH"}, Evidence: Assumed, Source: infOrder},

	// shm_create_subrange_handle
	{ID: "subrange/size-unaligned", Call: cSubrange, Condition: "size is not a page multiple", Effect: "EINVAL", Evidence: Assumed, Source: docSubrange + ": states the rule, names no errno", Since: "8.0"},
	{ID: "subrange/offset-unaligned", Call: cSubrange, Condition: "offset is not a page multiple", Effect: "EINVAL", Evidence: Assumed, Source: docSubrange + ": states the rule, names no errno", Since: "8.0"},
	{ID: "subrange/size-zero", Call: cSubrange, Condition: "size 0", Effect: "EINVAL", Evidence: Assumed, Source: infPart, Since: "8.0"},
	{ID: "subrange/size-negative", Call: cSubrange, Condition: "size is negative", Effect: "EINVAL", Evidence: Module, Source: infFits, Since: "8.0"},
	{ID: "subrange/offset-negative", Call: cSubrange, Condition: "offset is negative", Effect: "EINVAL", Evidence: Module, Source: infFits, Since: "8.0"},
	{ID: "subrange/past-end", Call: cSubrange, Condition: "the part ends past the end of the object", Effect: "EINVAL", AlsoAccept: []string{"ENXIO"}, Evidence: Assumed, Source: infPart, Since: "8.0"},
	{ID: "subrange/past-partial-page", Call: cSubrange, Condition: "the part ends inside the object's last page, past its last byte", Effect: "EINVAL", AlsoAccept: []string{"ENXIO", "EOK"}, Evidence: Assumed, Source: infPart, Since: "8.0"},
	{ID: "subrange/overflow", Call: cSubrange, Condition: "offset + size overflows", Effect: "EINVAL", AlsoAccept: []string{"ENXIO", "EOVERFLOW"}, Evidence: Assumed, Source: infFits, Since: "8.0"},
	{ID: "subrange/access-bad", Call: cSubrange, Condition: "access is not exactly one mode", Effect: "EINVAL", Evidence: Documented, Source: docSubrange, Since: "8.0"},
	{ID: "subrange/options-bad", Call: cSubrange, Condition: "unknown option bits", Effect: "EINVAL", Evidence: Assumed, Source: hdr80 + ", sys/mman.h: the mask of valid options", Since: "8.0"},
	{ID: "subrange/fd-bad", Call: cSubrange, Condition: "fd is not open", Effect: "EBADF", Evidence: Documented, Source: docSubrange, Since: "8.0"},
	{ID: "subrange/fd-out-of-range", Call: cSubrange, Condition: "fd does not fit a descriptor", Effect: "EBADF", Evidence: Module, Source: infFits, Since: "8.0"},
	{ID: "subrange/mode", Call: cSubrange, Condition: "more access than fd has", Effect: "EACCES", Evidence: Documented, Source: docSubrange, Since: "8.0"},
	{ID: "subrange/pid-bad", Call: cSubrange, Condition: "no process pid", Effect: "ESRCH", Evidence: Documented, Source: docSubrange, Since: "8.0"},
	{ID: "subrange/whole", Call: cSubrange, Condition: "the part is the whole object", Effect: "works", Evidence: Documented, Source: docSubrange, Since: "8.0"},
	{ID: "subrange/single-use", Call: cSubrange, Condition: "the handle is opened a second time", Effect: "ESRCH", Evidence: Documented, Source: docSubrange, Since: "8.0"},
	{ID: "window/start", Call: cSubrange, Condition: "the recipient maps what it opened", Effect: "offset 0 is the start of the part", Evidence: Assumed, Source: infPart, Since: "8.0"},
	{ID: "window/far", Call: cSubrange, Condition: "offset and size are above 4 GiB", Effect: "works: the recipient has the part", Evidence: Assumed, Source: infFits, Since: "8.0"},
	{ID: "window/write", Call: cSubrange, Condition: "the recipient writes to the part", Effect: "the bytes appear in the part of the object, and no others change", Evidence: Assumed, Source: infPart, Since: "8.0"},
	{ID: "window/length", Call: cSubrange, Condition: "size of the descriptor", Effect: "is the size of the part", Evidence: Assumed, Source: infPart, Since: "8.0", HostDiffers: "On the host fstat called past this module tells the size of the whole object."},
	{ID: "window/map-outside", Call: cMmap, Condition: "a range that is not within the window", Effect: "ENXIO", AlsoAccept: []string{"EINVAL", "EACCES", "EOVERFLOW"}, Evidence: Assumed, Source: infPart + "; POSIX, mmap() names this errno", Since: "8.0"},
	{ID: "window/resize", Call: cTruncate, Condition: "the descriptor is a window", Effect: "EPERM", AlsoAccept: []string{"EINVAL", "EACCES"}, Evidence: Assumed, Source: infPart, Since: "8.0", HostDiffers: "On the host ftruncate called past this module acts on the whole object."},
	{ID: "window/handle-of-window", Call: cCreate, Condition: "fd is a window", Effect: "the handle gives the same window", Evidence: Assumed, Source: infPart, Since: "8.0"},
	{ID: "window/nested-offset", Call: cSubrange, Condition: "fd is a window", Effect: "offset counts from the start of that window", Evidence: Assumed, Source: infPart, Since: "8.0"},
	{ID: "window/nested-past-end", Call: cSubrange, Condition: "fd is a window, the part lies in the object but not in the window", Effect: "EINVAL", AlsoAccept: []string{"ENXIO"}, Evidence: Assumed, Source: infPart, Since: "8.0"},
	{ID: "window/duplicate", Call: cSubrange, Condition: "a duplicate of a window", Effect: "is the same window, for size, mmap and further handles", Evidence: Assumed, Source: infPart, Since: "8.0"},
	{ID: "window/duplicate-nested", Call: cSubrange, Condition: "fd is a duplicate of a window", Effect: "offset counts from the start of that window", Evidence: Assumed, Source: infPart, Since: "8.0"},
	{ID: "window/beside-whole", Call: cSubrange, Condition: "one process holds a window and the whole object", Effect: "each descriptor keeps its own extent", Evidence: Assumed, Source: infPart, Since: "8.0"},
	{ID: "window/shrunk", Call: cMmap, Condition: "the object was cut off under a mapped window", Effect: "View and ReadAt return an error that matches ErrTruncated", Evidence: Older, Source: infOld + "; " + infModule, Since: "8.0"},

	// shm_open_handle
	{ID: "open/never-existed", Call: cOpen, Condition: "the handle never existed", Effect: "ESRCH", AlsoAccept: []string{"EBADF"}, Evidence: Documented, Source: docOpen},
	{ID: "open/guessed", Call: cOpen, Condition: "the value is near that of a good handle", Effect: "ESRCH", AlsoAccept: []string{"EBADF"}, Evidence: Documented, Source: docOpen},
	{ID: "open/used", Call: cOpen, Condition: "the handle was opened before", Effect: "ESRCH", AlsoAccept: []string{"EBADF"}, Evidence: Documented, Source: docCreate + ": a handle is single-use"},
	{ID: "open/deleted", Call: cOpen, Condition: "the handle was deleted", Effect: "ESRCH", AlsoAccept: []string{"EBADF"}, Evidence: Documented, Source: docDelete},
	{ID: "open/other-process", Call: cOpen, Condition: "the handle was made for another process", Effect: "ESRCH", AlsoAccept: []string{"EACCES", "EPERM", "EBADF"}, Evidence: Assumed, Source: infSilent},
	{ID: "open/other-process-kept", Call: cOpen, Condition: "another process tried to open the handle", Effect: "the handle is still good for its recipient", Evidence: Assumed, Source: infKept},
	{ID: "open/by-maker", Call: cOpen, Condition: "the maker opens a handle that it made for another process", Effect: "ESRCH", AlsoAccept: []string{"EACCES", "EPERM", "EBADF"}, Evidence: Assumed, Source: infSilent},
	{ID: "open/zero", Call: cOpen, Condition: "handle 0", Effect: "ESRCH", AlsoAccept: []string{"EBADF"}, Evidence: Assumed, Source: docCreate + ": the example uses 0 for none"},
	{ID: "open/all-ones", Call: cOpen, Condition: "handle of all ones", Effect: "EBADF", AlsoAccept: []string{"ESRCH"}, Evidence: Observed, Source: score + "; " + docOpen + " documents ESRCH"},
	{ID: "open/more-access", Call: cOpen, Condition: "access above the handle's", Effect: "EACCES", Evidence: Documented, Source: docOpen},
	{ID: "open/more-access-kept", Call: cOpen, Condition: "access above the handle's was refused", Effect: "the handle is still good", Evidence: Assumed, Source: infKept},
	{ID: "open/write-only-handle-reads", Call: cOpen, Condition: "access O_RDONLY or O_RDWR, handle O_WRONLY", Effect: "EACCES", Evidence: Assumed, Source: "inferred: the handle gives no mode but its own"},
	{ID: "open/access-illegal", Call: cOpen, Condition: "access is not one of the three modes", Effect: "EINVAL", Evidence: Documented, Source: docOpen},
	{ID: "open/access-illegal-kept", Call: cOpen, Condition: "illegal access was refused", Effect: "the handle is still good", Evidence: Assumed, Source: infKept},
	{ID: "open/order-access-handle", Call: cOpen, Condition: "illegal access and no such handle", Effect: "EINVAL", AlsoAccept: []string{"ESRCH", "EBADF"}, Evidence: Assumed, Source: infOrder},
	{ID: "open/order-recipient-mode", Call: cOpen, Condition: "handle made for another process, and access above the handle's", Effect: "ESRCH", AlsoAccept: []string{"EACCES", "EPERM", "EBADF"}, Evidence: Assumed, Source: infSilent},
	{ID: "open/cloexec-flag", Call: cOpen, Condition: "access has O_CLOEXEC", Effect: "works as without", Evidence: Documented, Source: docOpen},
	{ID: "open/read-write-handle-any-mode", Call: cOpen, Condition: "handle O_RDWR, access any mode", Effect: "works", Evidence: Documented, Source: docCreate},
	{ID: "open/write-only-handle", Call: cOpen, Condition: "handle and access O_WRONLY", Effect: "works", Evidence: Documented, Source: docCreate},
	{ID: "open/table-full", Call: cOpen, Condition: "the process has no descriptor left", Effect: "EMFILE", Evidence: Documented, Source: docOpen},
	{ID: "open/table-full-kept", Call: cOpen, Condition: "the open failed for want of a descriptor", Effect: "the handle is still good", Evidence: Assumed, Source: infKept},
	{ID: "open/table-full-own", Call: cOpen, Condition: "the maker itself has no descriptor left to open its own handle", Effect: "EMFILE", Evidence: Documented, Source: docOpen},
	{ID: "open/maker-stopped", Call: cOpen, Condition: "the maker is stopped", Effect: "EAGAIN", AlsoAccept: []string{"EOK"}, Evidence: Module, Source: docOpen + ": EAGAIN is the errno for short resources", HostDiffers: diffStopped + " On the host the errno comes after 5 s, and its text says so."},
	{ID: "open/maker-stopped-kept", Call: cOpen, Condition: "the open failed because the maker was stopped", Effect: "the handle is still good when the maker goes on", Evidence: Assumed, Source: infKept, HostDiffers: diffStopped},
	{ID: "open/lowest-descriptor", Call: cOpen, Condition: "success", Effect: "the descriptor is the lowest free one", Evidence: Documented, Source: docOpen},
	{ID: "open/close-on-exec", Call: cOpen, Condition: "success", Effect: "FD_CLOEXEC is set", Evidence: Documented, Source: docOpen},
	{ID: "open/same-memory", Call: cOpen, Condition: "maker and recipient map the object", Effect: "each sees what the other writes", Evidence: Documented, Source: docGuide},
	{ID: "open/same-size", Call: cOpen, Condition: "the maker resizes the object", Effect: "the recipient's descriptor shows the new size", Evidence: Documented, Source: docGuide},
	{ID: "open/race-goroutines", Call: cOpen, Condition: "a thousand goroutines open one handle", Effect: "one succeeds, the others get ESRCH", Evidence: Documented, Source: docCreate + ": a handle is single-use"},
	{ID: "open/race-processes", Call: cOpen, Condition: "several processes race for one handle, many times each", Effect: "the recipient succeeds once, everything else gets ESRCH", Evidence: Documented, Source: docCreate + ": a handle is single-use"},
	{ID: "open/race-delete", Call: cOpen, Condition: "recipient opens while the maker deletes", Effect: "one of the two succeeds, the other gets ESRCH", Evidence: Documented, Source: docDelete},
	{ID: "open/concurrent", Call: cOpen, Condition: "many goroutines open a handle each", Effect: "all succeed", Evidence: Documented, Source: docOpen + ": thread-safe"},

	// shm_open_handle_pid
	{ID: "maker/matches", Call: cOpenPID, Condition: "pid made the handle", Effect: "works", Evidence: Assumed, Source: hdr80 + ", sys/mman.h", Since: "8.0"},
	{ID: "maker/own", Call: cOpenPID, Condition: "pid is the caller, which made the handle for itself", Effect: "works", Evidence: Assumed, Source: hdr80 + ", sys/mman.h", Since: "8.0"},
	{ID: "maker/differs", Call: cOpenPID, Condition: "another process made the handle", Effect: "ESRCH", AlsoAccept: []string{"EACCES", "EPERM", "EINVAL", "EBADF"}, Evidence: Assumed, Source: infSilent, Since: "8.0"},
	{ID: "maker/differs-kept", Call: cOpenPID, Condition: "an open with another pid failed", Effect: "the handle is still good", Evidence: Assumed, Source: infKept, Since: "8.0"},
	{ID: "maker/nobody", Call: cOpenPID, Condition: "pid is 0, negative, or does not fit pid_t", Effect: "ESRCH", AlsoAccept: []string{"EINVAL", "EACCES", "EPERM", "EBADF"}, Evidence: Assumed, Source: "inferred: no wildcard is documented", Since: "8.0"},
	{ID: "maker/is-not-creator", Call: cOpenPID, Condition: "a recipient passed the object on", Effect: "the maker is who made the handle, not who created the object", Evidence: Assumed, Source: hdr80 + ", sys/mman.h", Since: "8.0"},
	{ID: "maker/more-access", Call: cOpenPID, Condition: "access above the handle's", Effect: "EACCES", Evidence: Assumed, Source: "inferred: the same as " + docOpen, Since: "8.0"},
	{ID: "maker/access-illegal", Call: cOpenPID, Condition: "access is not one of the three modes", Effect: "EINVAL", Evidence: Assumed, Source: "inferred: the same as " + docOpen, Since: "8.0"},

	// shm_delete_handle
	{ID: "delete/unknown", Call: cDelete, Condition: "the handle never existed", Effect: "ESRCH", Evidence: Documented, Source: docDelete},
	{ID: "delete/zero", Call: cDelete, Condition: "handle 0 or all ones", Effect: "ESRCH", AlsoAccept: []string{"EBADF"}, Evidence: Assumed, Source: docDelete},
	{ID: "delete/opened", Call: cDelete, Condition: "the handle was opened before", Effect: "ESRCH", Evidence: Documented, Source: docDelete},
	{ID: "delete/twice", Call: cDelete, Condition: "the handle was deleted before", Effect: "ESRCH", Evidence: Documented, Source: docDelete},
	{ID: "delete/stranger", Call: cDelete, Condition: "the caller is neither maker nor recipient", Effect: "ESRCH", Evidence: Documented, Source: docDelete},
	{ID: "delete/stranger-kept", Call: cDelete, Condition: "a stranger tried to delete the handle", Effect: "the handle is still good", Evidence: Documented, Source: docDelete},
	{ID: "delete/by-maker", Call: cDelete, Condition: "the caller made the handle", Effect: "works", Evidence: Documented, Source: docDelete},
	{ID: "delete/by-recipient", Call: cDelete, Condition: "the handle was made for the caller", Effect: "works", Evidence: Documented, Source: docDelete},
	{ID: "delete/spares-others", Call: cDelete, Condition: "other handles of the object exist", Effect: "they stay good", Evidence: Documented, Source: docDelete},
	{ID: "delete/maker-stopped", Call: cDelete, Condition: "recipient deletes, the maker is stopped", Effect: "EAGAIN", AlsoAccept: []string{"EOK"}, Evidence: Module, Source: infModule, HostDiffers: diffStopped},

	// How long things live.
	{ID: "life/maker-exits", Call: cOpen, Condition: "the maker has exited", Effect: "ESRCH", AlsoAccept: []string{"EOK", "EBADF"}, Evidence: Assumed, Source: infLife},
	{ID: "life/maker-killed", Call: cOpen, Condition: "the maker was killed", Effect: "ESRCH", AlsoAccept: []string{"EOK", "EBADF"}, Evidence: Assumed, Source: infLife},
	{ID: "life/recipient-exits", Call: cDelete, Condition: "the recipient has exited without using the handle", Effect: "ESRCH", AlsoAccept: []string{"EOK"}, Evidence: Assumed, Source: "inferred: another process may get the recipient's pid"},
	{ID: "life/handle-keeps-object", Call: cOpen, Condition: "the maker has closed and unmapped the object", Effect: "the unused handle keeps it alive: the recipient opens it and finds the contents", Evidence: Assumed, Source: infLife},
	{ID: "life/maker-keeps-mapping", Call: cOpen, Condition: "the maker has closed its descriptor and keeps its mapping", Effect: "works", Evidence: Observed, Source: course},
	{ID: "life/unlinked", Call: cOpen, Condition: "the object's name was removed", Effect: "works", Evidence: Assumed, Source: docUnlink + ": the name is one reference among others"},
	{ID: "life/recipient-execs", Call: cOpen, Condition: "the recipient has called exec", Effect: "works: it is the same process", Evidence: Assumed, Source: docCreate + ": the handle is bound to the pid"},
	{ID: "life/recipients-child", Call: cOpen, Condition: "a child of the recipient opens the handle", Effect: "ESRCH", AlsoAccept: []string{"EACCES", "EPERM", "EBADF"}, Evidence: Documented, Source: docCreate + ": the handle is bound to the pid"},
	{ID: "life/recipients-child-kept", Call: cOpen, Condition: "a child of the recipient tried to open the handle", Effect: "the handle is still good for the recipient", Evidence: Assumed, Source: infKept},
	{ID: "life/makers-child", Call: cDelete, Condition: "a child of the maker deletes the handle", Effect: "ESRCH", Evidence: Assumed, Source: docDelete + ": the source is one process"},
	{ID: "life/descriptor-outlives-maker", Call: cOpen, Condition: "the maker exits after the recipient has opened", Effect: "the descriptor stays good: it can be mapped", Evidence: Documented, Source: docOpen},
	{ID: "life/mapping-outlives-maker", Call: cOpen, Condition: "the maker exits after the recipient has mapped", Effect: "the mapping stays good", Evidence: Documented, Source: docOpen},
	{ID: "life/passed-on-outlives-creator", Call: cOpen, Condition: "the object's creator exits; the maker of the handle, to whom it was passed, lives", Effect: "works", Evidence: Assumed, Source: "inferred: the handle is its maker's"},

	// shm_open
	{ID: "object/new-is-empty", Call: cShmOpen, Condition: "a new object", Effect: "has size 0", Evidence: Documented, Source: docShmOpen},
	{ID: "object/close-on-exec", Call: cShmOpen, Condition: "success", Effect: "FD_CLOEXEC is set", Evidence: Documented, Source: docShmOpen},
	{ID: "object/lowest-descriptor", Call: cShmOpen, Condition: "success", Effect: "the descriptor is the lowest free one", Evidence: Documented, Source: docShmOpen},
	{ID: "object/anonymous-distinct", Call: cShmOpen, Condition: "SHM_ANON twice", Effect: "two objects", Evidence: Documented, Source: docGuide},
	{ID: "object/anonymous-flags", Call: cShmOpen, Condition: "SHM_ANON with and without O_CREAT, O_EXCL, O_TRUNC", Effect: "works", Evidence: Observed, Source: score + "; " + docGuide + ", examples"},
	{ID: "object/anonymous-write-only", Call: cShmOpen, Condition: "SHM_ANON, O_WRONLY", Effect: "EINVAL", AlsoAccept: []string{"EOK"}, Evidence: Assumed, Source: docShmOpen + ": O_WRONLY is not listed"},
	{ID: "object/anonymous-unknown-flags", Call: cShmOpen, Condition: "SHM_ANON and flags that are not for shared memory", Effect: "EINVAL", AlsoAccept: []string{"EOK"}, Evidence: Assumed, Source: docShmOpen + ": other flags are not listed"},
	{ID: "object/anonymous-read-only", Call: cShmOpen, Condition: "SHM_ANON, O_RDONLY", Effect: "works: an empty object that cannot grow", Evidence: Assumed, Source: "inferred: useless, but nothing forbids it"},
	{ID: "object/zero-filled", Call: cShmOpen, Condition: "memory that was never written", Effect: "reads as zero", Evidence: Documented, Source: docTruncate},
	{ID: "object/named", Call: cShmOpen, Condition: "two processes open one name", Effect: "they share the memory", Evidence: Documented, Source: docShmOpen},
	{ID: "object/missing", Call: cShmOpen, Condition: "no such name, no O_CREAT", Effect: "ENOENT", Evidence: Documented, Source: docShmOpen},
	{ID: "object/empty-name", Call: cShmOpen, Condition: "the name is empty", Effect: "ENOENT", AlsoAccept: []string{"EINVAL"}, Evidence: Documented, Source: docShmOpen},
	{ID: "object/missing-directory", Call: cShmOpen, Condition: "a directory in the name does not exist", Effect: "ENOENT", Evidence: Documented, Source: docShmOpen},
	{ID: "object/exists", Call: cShmOpen, Condition: "O_CREAT and O_EXCL and the name exists", Effect: "EEXIST", Evidence: Documented, Source: docShmOpen},
	{ID: "object/exclusive-race", Call: cShmOpen, Condition: "many open one name with O_CREAT and O_EXCL", Effect: "one succeeds, the others get EEXIST", Evidence: Documented, Source: docShmOpen},
	{ID: "object/name-too-long", Call: cShmOpen, Condition: "the name is longer than NAME_MAX", Effect: "ENAMETOOLONG", Evidence: Documented, Source: docShmOpen},
	{ID: "object/name-with-zero-byte", Call: cShmOpen, Condition: "the name has a zero byte", Effect: "EINVAL", Evidence: Module, Source: infModule},
	{ID: "object/named-write-only", Call: cShmOpen, Condition: "O_WRONLY", Effect: "EINVAL", AlsoAccept: []string{"EOK"}, Evidence: Assumed, Source: docShmOpen + ": O_WRONLY is not listed"},
	{ID: "object/named-unknown-flags", Call: cShmOpen, Condition: "flags that are not for shared memory", Effect: "EINVAL", AlsoAccept: []string{"EOK"}, Evidence: Assumed, Source: docShmOpen + ": other flags are not listed"},
	{ID: "object/truncated", Call: cShmOpen, Condition: "O_RDWR and O_TRUNC", Effect: "the size becomes 0", Evidence: Documented, Source: docShmOpen},
	{ID: "object/create-existing", Call: cShmOpen, Condition: "O_CREAT without O_EXCL and the name exists", Effect: "opens it, the contents stay", Evidence: Documented, Source: docShmOpen},
	{ID: "object/mode-zero", Call: cShmOpen, Condition: "O_CREAT with permissions 0", Effect: "the creator's descriptor works", Evidence: Observed, Source: score},
	{ID: "object/mode", Call: cShmOpen, Condition: "O_CREAT of a new name", Effect: "the object has the permissions given, less the umask", Evidence: Documented, Source: docShmOpen},
	{ID: "object/permission", Call: cShmOpen, Condition: "the object's permissions refuse the mode", Effect: "EACCES", Evidence: Documented, Source: docShmOpen},
	{ID: "object/read-write", Call: cShmOpen, Condition: "read() and write() on the descriptor", Effect: "read and change the contents at its offset; a write past the end makes the object larger, a read there gives nothing", Evidence: Older, Source: infOld},
	{ID: "object/shared-offset", Call: cShmOpen, Condition: "a duplicate of the descriptor", Effect: "has the same offset", Evidence: Documented, Source: docFiles},
	{ID: "object/fork", Call: cShmOpen, Condition: "the process forks", Effect: "the child has the descriptor, FD_CLOEXEC or not", Evidence: Documented, Source: docFiles},

	// shm_unlink
	{ID: "unlink/no-such-name", Call: cUnlink, Condition: "no such name", Effect: "ENOENT", Evidence: Documented, Source: docUnlink},
	{ID: "unlink/name-empty", Call: cUnlink, Condition: "the name is empty", Effect: "ENOENT", Evidence: Documented, Source: docUnlink},
	{ID: "unlink/name-long", Call: cUnlink, Condition: "the name is longer than PATH_MAX", Effect: "ENAMETOOLONG", Evidence: Documented, Source: docUnlink},
	{ID: "unlink/name-with-zero-byte", Call: cUnlink, Condition: "the name has a zero byte", Effect: "EINVAL", Evidence: Module, Source: infModule},
	{ID: "unlink/keeps-object", Call: cUnlink, Condition: "descriptors and mappings exist", Effect: "they stay good", Evidence: Documented, Source: docUnlink},
	{ID: "unlink/frees-name", Call: cUnlink, Condition: "the name is opened again with O_CREAT", Effect: "a new object", Evidence: Documented, Source: docUnlink},

	// ftruncate
	{ID: "truncate/negative", Call: cTruncate, Condition: "the size is negative", Effect: "EINVAL", Evidence: Documented, Source: docTruncate},
	{ID: "truncate/read-only", Call: cTruncate, Condition: "the descriptor is not open for writing", Effect: "EINVAL", AlsoAccept: []string{"EBADF", "EACCES"}, Evidence: Documented, Source: docTruncate},
	{ID: "truncate/any-size", Call: cTruncate, Condition: "the size is not a page multiple", Effect: "the object has that size, to the byte", Evidence: Older, Source: infOld},
	{ID: "truncate/large", Call: cTruncate, Condition: "the size is above 4 GiB", Effect: "the object has that size, to the byte", Evidence: Assumed, Source: infFits},
	{ID: "truncate/grow", Call: cTruncate, Condition: "the object is made smaller, then larger", Effect: "the new bytes are zero", Evidence: Documented, Source: docTruncate},
	{ID: "truncate/by-recipient", Call: cTruncate, Condition: "a recipient with O_RDWR resizes the object", Effect: "works for all", Evidence: Documented, Source: docGuide},
	{ID: "truncate/not-open", Call: cTruncate, Condition: "the descriptor is not open", Effect: "EBADF", Evidence: Documented, Source: docTruncate},

	// mmap
	{ID: "map/read-only-descriptor", Call: cMmap, Condition: "write access, the descriptor is open for reading", Effect: "EACCES", Evidence: Documented, Source: docArch + "; " + infPOSIX},
	{ID: "map/write-only-descriptor", Call: cMmap, Condition: "the descriptor is open for writing only", Effect: "EACCES", Evidence: Documented, Source: docArch + "; " + infPOSIX},
	{ID: "map/write-only-access", Call: cMmap, Condition: "access O_WRONLY", Effect: "EACCES", Evidence: Module, Source: infModule},
	{ID: "map/access-illegal", Call: cMmap, Condition: "access is not one of the three modes", Effect: "EINVAL", Evidence: Module, Source: infModule},
	{ID: "map/length-zero", Call: cMmap, Condition: "length 0", Effect: "EINVAL", Evidence: Observed, Source: score + "; " + docMmap},
	{ID: "map/length-negative", Call: cMmap, Condition: "length is negative", Effect: "EINVAL", Evidence: Module, Source: infFits},
	{ID: "map/empty-object", Call: cMmap, Condition: "the whole of an object of size 0", Effect: "EINVAL", Evidence: Observed, Source: score + "; " + docMmap},
	{ID: "map/offset-unaligned", Call: cMmap, Condition: "offset is not a page multiple", Effect: "EINVAL", AlsoAccept: []string{"EOK"}, Evidence: Assumed, Source: infPOSIX + "; published 6.4 source takes every offset"},
	{ID: "map/offset-negative", Call: cMmap, Condition: "offset is negative", Effect: "EINVAL", AlsoAccept: []string{"ENXIO", "EOVERFLOW"}, Evidence: Assumed, Source: infFits},
	{ID: "map/not-open", Call: cMmap, Condition: "the descriptor is not open", Effect: "EBADF", Evidence: Older, Source: infPOSIX + "; " + infOld},
	{ID: "map/fd-negative", Call: cMmap, Condition: "the descriptor is negative", Effect: "EBADF", Evidence: Module, Source: infModule + ": published 6.4 source gives memory of no object for -1"},
	{ID: "map/offset", Call: cMmap, Condition: "offset is a page multiple", Effect: "the mapping begins there", Evidence: Documented, Source: docMmap},
	{ID: "map/far", Call: cMmap, Condition: "offset and length are above 4 GiB", Effect: "the mapping begins there, and is that long", Evidence: Assumed, Source: infFits},
	{ID: "map/protection", Call: cMmap, Condition: "success", Effect: "the memory is shared, and has the access asked for and no other", Evidence: Assumed, Source: infPOSIX},
	{ID: "map/survives-close", Call: cMmap, Condition: "the descriptor is closed", Effect: "the mapping stays good", Evidence: Documented, Source: docUnlink},
	{ID: "map/unmapped", Call: cMunmap, Condition: "a mapping is unmapped", Effect: "works; touching the memory is a fault", Evidence: Documented, Source: "POSIX, munmap()"},
	{ID: "map/unmapped-large", Call: cMunmap, Condition: "a mapping longer than 4 GiB is unmapped", Effect: "works; touching any of the memory is a fault", Evidence: Assumed, Source: infFits},
	{ID: "map/protect-more", Call: cProtect, Condition: "PROT_WRITE, mapped from a descriptor or a handle that is not open for writing", Effect: "EACCES", Evidence: Documented, Source: lib70 + "mprotect()"},
	{ID: "map/protect-nothing", Call: cProtect, Condition: "nothing is mapped there", Effect: "ENOMEM", Evidence: Documented, Source: lib70 + "mprotect()"},
	{ID: "map/sync-nothing", Call: cSync, Condition: "nothing is mapped there", Effect: "ENOMEM", Evidence: Documented, Source: lib70 + "msync()"},
	{ID: "map/sync-both", Call: cSync, Condition: "MS_SYNC and MS_ASYNC", Effect: "EINVAL", Evidence: Documented, Source: lib70 + "msync()"},
	{ID: "map/longer-than-object", Call: cMmap, Condition: "the length is past the end of the object", Effect: "works; touching memory past the last page is an error that matches ErrTruncated, in View and ReadAt, until the object grows", Evidence: Older, Source: infOld + "; " + infModule},
	{ID: "map/shrunk", Call: cMmap, Condition: "the object was made smaller under a mapping", Effect: "View, ReadAt and WriteAt return an error that matches ErrTruncated", Evidence: Older, Source: infOld + "; " + infModule},
	{ID: "map/shrunk-by-other", Call: cMmap, Condition: "another process made the object smaller", Effect: "ReadAt returns an error that matches ErrTruncated", Evidence: Older, Source: infOld + "; " + infModule},

	// shm_ctl
	{ID: "control/anonymous", Call: cControl, Condition: "SHMCTL_ANON with a size, a new object", Effect: "the object has that size, filled with zeroes", Evidence: Documented, Source: docControl},
	{ID: "control/lazy", Call: cControl, Condition: "SHMCTL_ANON and SHMCTL_LAZY with a size, a new object", Effect: "works as without SHMCTL_LAZY", Evidence: Documented, Source: docControl},
	{ID: "control/extends", Call: cControl, Condition: "SHMCTL_ANON again, with a larger size; the descriptor's offset is 0", Effect: "the object grows, the contents stay", Evidence: Documented, Source: docControl},
	{ID: "control/smaller", Call: cControl, Condition: "SHMCTL_ANON with a smaller size; the descriptor's offset is 0", Effect: "works, the size stays", Evidence: Documented, Source: docControl + ": it only extends"},
	{ID: "control/extends-offset", Call: cControl, Condition: "SHMCTL_ANON, the descriptor's offset is not 0", Effect: "the new size is the offset and the size given", Evidence: Documented, Source: docControl},
	{ID: "control/sized-before", Call: cControl, Condition: "SHMCTL_ANON, the object got its size by ftruncate", Effect: "works as on an object that got it by shm_ctl", Evidence: Assumed, Source: "inferred: a later call may extend"},
	{ID: "control/by-recipient", Call: cControl, Condition: "the descriptor came from a handle O_RDWR", Effect: "works for all", Evidence: Documented, Source: docGuide + ": one reason to give a descriptor"},
	{ID: "control/read-only", Call: cControl, Condition: "the descriptor is not open for writing", Effect: "EPERM", AlsoAccept: []string{"EACCES", "EBADF", "EINVAL", "EOK"}, Evidence: Assumed, Source: "inferred: who cannot resize the object by ftruncate cannot by shm_ctl"},
	{ID: "control/window", Call: cControl, Condition: "the descriptor is a window", Effect: "EPERM", AlsoAccept: []string{"EACCES", "EINVAL", "ENOSYS"}, Evidence: Assumed, Source: infPart, Since: "8.0"},
	{ID: "control/fd-not-open", Call: cControl, Condition: "fd is not open", Effect: "EBADF", Evidence: Assumed, Source: "POSIX: the errno of such a descriptor"},
	{ID: "control/fd-outside", Call: cControl, Condition: "fd is negative or does not fit a descriptor", Effect: "EBADF", Evidence: Assumed, Source: infFits},
	{ID: "control/fd-other", Call: cControl, Condition: "fd is a file, a directory or a pipe", Effect: "EBADF", AlsoAccept: []string{"ENOSYS", "ENOTSUP", "EINVAL", "EPERM", "EACCES", "ENOTTY"}, Evidence: Assumed, Source: "inferred: the manual takes descriptors of shared-memory objects only", HostDiffers: diffOther},
	{ID: "control/flags-none", Call: cControl, Condition: "no flags, or hints only", Effect: "EINVAL", Evidence: Documented, Source: docControl + ": a bad combination of flags"},
	{ID: "control/flags-unknown", Call: cControl, Condition: "unknown flags", Effect: "EINVAL", Evidence: Assumed, Source: hdrMman + ": the mask of valid flags"},
	{ID: "control/lazy-alone", Call: cControl, Condition: "SHMCTL_LAZY without SHMCTL_ANON", Effect: "EINVAL", AlsoAccept: []string{"EOK"}, Evidence: Assumed, Source: "contradictory: " + docControl + " calls it a flag that can stand alone, and bad combinations an error; published 6.4 source refuses it"},
	{ID: "control/get-flags-and-more", Call: cControl, Condition: "SHMCTL_GET_FLAGS and another flag", Effect: "EINVAL", AlsoAccept: []string{"EOK"}, Evidence: Assumed, Source: "inferred: to ask and to change are two calls"},
	{ID: "control/size-unused", Call: cControl, Condition: "a size without SHMCTL_ANON", Effect: "EINVAL", AlsoAccept: []string{"EOK"}, Evidence: Assumed, Source: infModule},
	{ID: "control/address-unused", Call: cControl, Condition: "paddr without SHMCTL_PHYS or SHMCTL_TYMEM", Effect: "EINVAL", AlsoAccept: []string{"EOK"}, Evidence: Assumed, Source: infModule},
	{ID: "control/size-too-large", Call: cControl, Condition: "the size has 64 bits", Effect: "ENOMEM", AlsoAccept: []string{"EINVAL", "EFBIG", "EOVERFLOW"}, Evidence: Assumed, Source: infFits},
	{ID: "control/hardware", Call: cControl, Condition: "SHMCTL_PHYS, SHMCTL_TYMEM, and what else is of hardware", Effect: "ENOSYS", Evidence: Module, Source: infModule, HostDiffers: diffMemory},
	{ID: "control/hints", Call: cControl, Condition: "SHMCTL_ANON with the deprecated hints", Effect: "works as without", Evidence: Assumed, Source: hdrMman},
	{ID: "control/order-flags-fd", Call: cControl, Condition: "bad flags and bad fd", Effect: "EINVAL", AlsoAccept: []string{"EBADF"}, Evidence: Assumed, Source: infOrder},
	{ID: "control/get-flags", Call: cControl, Condition: "SHMCTL_GET_FLAGS", Effect: "the result tells SHMCTL_REVOCABLE and SHMCTL_SEAL as they were set, to every holder of a descriptor", Evidence: Observed, Source: "Eclipse S-CORE, tracing library: the result of shm_ctl() is the flags; " + docGuide, HostDiffers: "On a target the flags tell also how the memory was allocated."},
	{ID: "control/get-flags-reader", Call: cControl, Condition: "SHMCTL_GET_FLAGS, the descriptor is open for reading only", Effect: "works: a recipient can ask whether the object is sealed", Evidence: Documented, Source: docGuide},
	{ID: "control/get-flags-part", Call: cControl, Condition: "SHMCTL_GET_FLAGS, the descriptor is a window", Effect: "tells the flags of the object", Evidence: Assumed, Source: "inferred: the flags belong to the object", Since: "8.0"},
	{ID: "control/revocable", Call: cControl, Condition: "SHMCTL_REVOCABLE alone, the object got its size by ftruncate", Effect: "works, size and contents stay", Evidence: Assumed, Source: docGuide + ": the flags can be set in a call of their own"},
	{ID: "control/revocable-recipient", Call: cControl, Condition: "SHMCTL_REVOCABLE, the descriptor came from a handle O_RDWR", Effect: "EPERM", AlsoAccept: []string{"EOK", "EACCES"}, Evidence: Module, Source: infModule, HostDiffers: "A target may let every writer mark it."},
	{ID: "control/revocable-named", Call: cControl, Condition: "SHMCTL_REVOCABLE, the object has a name", Effect: "ENOSYS", AlsoAccept: []string{"EOK", "EPERM"}, Evidence: Module, Source: infModule, HostDiffers: "On the target every object can be made revocable."},
	{ID: "control/all-at-once", Call: cControl, Condition: "SHMCTL_ANON, SHMCTL_REVOCABLE and SHMCTL_SEAL with a size, a new object", Effect: "works: the object has the size, is revocable and sealed", Evidence: Documented, Source: docGuide},
	{ID: "seal/new-object", Call: cControl, Condition: "SHMCTL_ANON and SHMCTL_SEAL with a size, a new object", Effect: "works: the object has the size and is sealed", Evidence: Observed, Source: comms},
	{ID: "seal/shrink-or-grow", Call: cTruncate, Condition: "the object is sealed, the caller created it", Effect: "EPERM", AlsoAccept: []string{"EINVAL", "EACCES"}, Evidence: Assumed, Source: infLayout},
	{ID: "seal/recipient-resizes", Call: cTruncate, Condition: "the object is sealed, the caller opened it by a handle, before or after", Effect: "EPERM", AlsoAccept: []string{"EINVAL", "EACCES"}, Evidence: Assumed, Source: infLayout},
	{ID: "seal/extend", Call: cControl, Condition: "SHMCTL_ANON with a larger size, the object is sealed", Effect: "EPERM", Evidence: Documented, Source: docGuide},
	{ID: "seal/recipient-extends", Call: cControl, Condition: "SHMCTL_ANON with a larger size, the object is sealed, the caller opened it by a handle", Effect: "EPERM", Evidence: Documented, Source: docGuide},
	{ID: "seal/revocable-after", Call: cControl, Condition: "SHMCTL_REVOCABLE, the object is sealed", Effect: "EPERM", Evidence: Documented, Source: docGuide + ": flags cannot be changed either"},
	{ID: "seal/twice", Call: cControl, Condition: "SHMCTL_SEAL, the object is sealed", Effect: "EPERM", AlsoAccept: []string{"EOK"}, Evidence: Assumed, Source: docGuide + ": flags cannot be changed either"},
	{ID: "seal/by-recipient", Call: cControl, Condition: "a recipient with O_RDWR seals the object", Effect: "works: its creator cannot change the size either", Evidence: Assumed, Source: "inferred: as for every change by shm_ctl"},
	{ID: "seal/contents", Call: cControl, Condition: "the object is sealed", Effect: "its contents can be written, through old mappings and new ones", Evidence: Documented, Source: docGuide},
	{ID: "seal/handles", Call: cCreate, Condition: "the object is sealed", Effect: "handles of it give the access that they are made with", Evidence: Assumed, Source: docGuide + ": sealing is about layout, not about access"},
	{ID: "seal/empty", Call: cControl, Condition: "SHMCTL_SEAL, an object of size 0", Effect: "works: the object stays empty", Evidence: Assumed, Source: "inferred: size 0 is a size"},
	{ID: "seal/named", Call: cControl, Condition: "SHMCTL_SEAL, the object has a name", Effect: "ENOSYS", AlsoAccept: []string{"EOK"}, Evidence: Module, Source: infModule, HostDiffers: "On the target every object can be sealed."},
	{ID: "seal/reopened", Call: cTruncate, Condition: "the object is sealed and was opened again through /proc", Effect: "EPERM", Evidence: Module, Source: infModule, HostDiffers: "A target has no such way to open an object again."},
	{ID: "seal/recipient-safe", Call: cControl, Condition: "a recipient has mapped a sealed object; its creator tries all it can", Effect: "the memory stays, to the last page", Evidence: Documented, Source: docGuide},

	// SHM_CREATE_HANDLE_OPT_NOFD
	{ID: "nofd/open", Call: cOpen, Condition: "the handle was made with the option", Effect: "EACCES", AlsoAccept: []string{"EPERM", "EINVAL", "ESRCH", "EBADF", "ENOTSUP", "ENOSYS"}, Evidence: Assumed, Source: docCreate + ": such a handle cannot become a descriptor; no errno is named"},
	{ID: "nofd/open-pid", Call: cOpenPID, Condition: "the handle was made with the option", Effect: "EACCES", AlsoAccept: []string{"EPERM", "EINVAL", "ESRCH", "EBADF", "ENOTSUP", "ENOSYS"}, Evidence: Assumed, Source: docCreate + ": such a handle cannot become a descriptor; no errno is named", Since: "8.0"},
	{ID: "nofd/open-kept", Call: cOpen, Condition: "opening a handle with the option was refused", Effect: "the handle can still be mapped", Evidence: Assumed, Source: infKept},
	{ID: "nofd/maps", Call: cDirect, Condition: "the handle was made with the option", Effect: "works, once", Evidence: Documented, Source: docCreate},
	{ID: "nofd/no-descriptor", Call: cDirect, Condition: "success", Effect: "the recipient has no descriptor of the object", Evidence: Documented, Source: docGuide},
	{ID: "nofd/beyond-access", Call: cDirect, Condition: "read-write access, the handle is O_RDONLY with the option", Effect: "EACCES", Evidence: Assumed, Source: infPOSIX},
	{ID: "nofd/part", Call: cSubrange, Condition: "the option, and a part of the object", Effect: "the handle maps the part and cannot be opened", Evidence: Documented, Source: docSubrange, Since: "8.0"},
	{ID: "nofd/deleted", Call: cDelete, Condition: "the handle was made with the option", Effect: "maker and recipient can delete it", Evidence: Assumed, Source: docDelete},

	// mmap_handle
	{ID: "direct/shares", Call: cDirect, Condition: "the handle was made for the caller", Effect: "works: what maker and recipient write, each sees", Evidence: Documented, Source: docGuide},
	{ID: "direct/own", Call: cDirect, Condition: "the caller made the handle for itself", Effect: "works", Evidence: Assumed, Source: docCreate + ": the pid may be the caller's own"},
	{ID: "direct/used", Call: cDirect, Condition: "the handle was mapped before", Effect: "ESRCH", AlsoAccept: []string{"EBADF"}, Evidence: Documented, Source: infUsed},
	{ID: "direct/opened", Call: cDirect, Condition: "the handle was opened before", Effect: "ESRCH", AlsoAccept: []string{"EBADF"}, Evidence: Documented, Source: docCreate + ": a handle is single-use"},
	{ID: "direct/uses-up", Call: cOpen, Condition: "the handle was mapped before", Effect: "ESRCH", AlsoAccept: []string{"EBADF"}, Evidence: Documented, Source: infUsed},
	{ID: "direct/delete-after", Call: cDelete, Condition: "the handle was mapped before", Effect: "ESRCH", Evidence: Documented, Source: docDelete},
	{ID: "direct/deleted", Call: cDirect, Condition: "the handle was deleted", Effect: "ESRCH", AlsoAccept: []string{"EBADF"}, Evidence: Assumed, Source: infAsOpen},
	{ID: "direct/never-existed", Call: cDirect, Condition: "the handle never existed, or is 0", Effect: "ESRCH", AlsoAccept: []string{"EBADF"}, Evidence: Assumed, Source: infAsOpen},
	{ID: "direct/all-ones", Call: cDirect, Condition: "handle of all ones", Effect: "EBADF", AlsoAccept: []string{"ESRCH"}, Evidence: Assumed, Source: infAsOpen},
	{ID: "direct/other-process", Call: cDirect, Condition: "the handle was made for another process", Effect: "ESRCH", AlsoAccept: []string{"EACCES", "EPERM", "EBADF"}, Evidence: Assumed, Source: infSilent},
	{ID: "direct/other-process-kept", Call: cDirect, Condition: "another process, or the maker, tried to map the handle", Effect: "it is still good for its recipient", Evidence: Assumed, Source: infKept},
	{ID: "direct/maker-gone", Call: cDirect, Condition: "the maker has exited", Effect: "ESRCH", AlsoAccept: []string{"EOK", "EBADF"}, Evidence: Assumed, Source: infLife},
	{ID: "direct/maker-stopped", Call: cDirect, Condition: "the maker is stopped", Effect: "EAGAIN", AlsoAccept: []string{"EOK"}, Evidence: Module, Source: infModule, HostDiffers: diffStopped},
	{ID: "direct/length-zero", Call: cDirect, Condition: "length 0", Effect: "EINVAL", Evidence: Documented, Source: docMmap},
	{ID: "direct/length-negative", Call: cDirect, Condition: "length is negative", Effect: "EINVAL", Evidence: Module, Source: infFits},
	{ID: "direct/access-illegal", Call: cDirect, Condition: "access is not one of the three modes", Effect: "EINVAL", Evidence: Module, Source: infModule},
	{ID: "direct/write-only-access", Call: cDirect, Condition: "access O_WRONLY", Effect: "EACCES", Evidence: Module, Source: infModule},
	{ID: "direct/read-only-handle", Call: cDirect, Condition: "read-write access, the handle is O_RDONLY", Effect: "EACCES", Evidence: Assumed, Source: infPOSIX},
	{ID: "direct/write-only-handle", Call: cDirect, Condition: "the handle is O_WRONLY", Effect: "EACCES", Evidence: Assumed, Source: infPOSIX},
	{ID: "direct/less-access", Call: cDirect, Condition: "read-only access, the handle is O_RDWR", Effect: "works: a store is an error", Evidence: Documented, Source: docCreate},
	{ID: "direct/failed-kept", Call: cDirect, Condition: "mapping failed: length 0, bad access, more access than the handle has", Effect: "the handle is still good", Evidence: Assumed, Source: infKept},
	{ID: "direct/shorter", Call: cDirect, Condition: "the length is less than the object has", Effect: "its first bytes are mapped", Evidence: Documented, Source: docMmap},
	{ID: "direct/longer", Call: cDirect, Condition: "the length is past the end of the object", Effect: "works; touching memory past the last page is an error that matches ErrTruncated, until the object grows", Evidence: Older, Source: infOld + "; " + infModule},
	{ID: "direct/window", Call: cDirect, Condition: "the handle is of a part", Effect: "offset 0 is the start of the part", Evidence: Assumed, Source: infPart, Since: "8.0"},
	{ID: "direct/outside-part", Call: cDirect, Condition: "the handle is of a part, the length is larger", Effect: "ENXIO", AlsoAccept: []string{"EINVAL", "EACCES", "EOVERFLOW", "ENOMEM"}, Evidence: Assumed, Source: infPart + "; POSIX, mmap() names this errno", Since: "8.0"},
	{ID: "direct/outside-part-kept", Call: cDirect, Condition: "mapping more than the part failed", Effect: "the handle is still good", Evidence: Assumed, Source: infKept, Since: "8.0"},
	{ID: "direct/outlives", Call: cDirect, Condition: "the maker has closed the object, then exits", Effect: "the mapping stays good", Evidence: Documented, Source: docUnlink + ": a mapping is a reference"},
	{ID: "direct/table-full", Call: cDirect, Condition: "the process has no descriptor left", Effect: "EAGAIN", AlsoAccept: []string{"EOK"}, Evidence: Module, Source: infModule, HostDiffers: "On the host mapping takes a descriptor for a moment; a target needs none. The handle is kept."},
	{ID: "direct/race-goroutines", Call: cDirect, Condition: "a thousand goroutines map one handle", Effect: "one succeeds, the others get ESRCH", Evidence: Documented, Source: docCreate + ": a handle is single-use"},
	{ID: "direct/race-processes", Call: cDirect, Condition: "several processes race for one handle, many times each", Effect: "the recipient succeeds once, everything else gets ESRCH", Evidence: Documented, Source: docCreate + ": a handle is single-use"},
	{ID: "direct/race-open", Call: cDirect, Condition: "some map a handle while others open it", Effect: "one of them succeeds, the others get ESRCH", Evidence: Documented, Source: docCreate + ": a handle is single-use"},
	{ID: "direct/race-delete", Call: cDirect, Condition: "recipient maps while the maker deletes", Effect: "one of the two succeeds, the other gets ESRCH", Evidence: Documented, Source: docDelete},
	{ID: "direct/concurrent", Call: cDirect, Condition: "many goroutines map a handle each", Effect: "all succeed", Evidence: Documented, Source: docOpen + ": thread-safe"},
	{ID: "direct/maker-matches", Call: cFrom, Condition: "pid made the handle", Effect: "works", Evidence: Assumed, Source: hdrMman, Since: "8.0"},
	{ID: "direct/maker-large", Call: cFrom, Condition: "pid made the handle, the length is above 4 GiB", Effect: "works: what is stored through the mapping is in the object, to the last byte", Evidence: Assumed, Source: hdrMman + "; " + infFits, Since: "8.0"},
	{ID: "direct/maker-differs", Call: cFrom, Condition: "another process made the handle", Effect: "ESRCH", AlsoAccept: []string{"EACCES", "EPERM", "EINVAL", "EBADF"}, Evidence: Assumed, Source: infSilent, Since: "8.0"},
	{ID: "direct/maker-differs-kept", Call: cFrom, Condition: "mapping with another pid failed", Effect: "the handle is still good", Evidence: Assumed, Source: infKept, Since: "8.0"},
	{ID: "direct/maker-nobody", Call: cFrom, Condition: "pid is 0, negative, or does not fit pid_t", Effect: "ESRCH", AlsoAccept: []string{"EINVAL", "EACCES", "EPERM", "EBADF"}, Evidence: Assumed, Source: "inferred: no wildcard is documented", Since: "8.0"},
	{ID: "direct/maker-bad-access", Call: cFrom, Condition: "access is not one of the three modes", Effect: "EINVAL", Evidence: Module, Source: infModule, Since: "8.0"},

	// shm_revoke
	{ID: "revoke/fd-not-open", Call: cRevoke, Condition: "fd is not open", Effect: "EBADF", Evidence: Assumed, Source: infRevoke},
	{ID: "revoke/fd-outside", Call: cRevoke, Condition: "fd is negative or does not fit a descriptor", Effect: "EBADF", Evidence: Assumed, Source: infFits},
	{ID: "revoke/fd-other", Call: cRevoke, Condition: "fd is a file or a pipe", Effect: "EBADF", AlsoAccept: []string{"ENOSYS", "ENOTSUP", "EINVAL", "EPERM", "EACCES", "ENOTTY"}, Evidence: Assumed, Source: infRevoke + "; the manual takes descriptors of shared-memory objects only", HostDiffers: diffOther},
	{ID: "revoke/recipient", Call: cRevoke, Condition: "the caller has opened the object by a handle", Effect: "EPERM", AlsoAccept: []string{"EACCES", "EINVAL"}, Evidence: Assumed, Source: docRevoke + ": only the creator can; " + infRevoke},
	{ID: "revoke/passed-on", Call: cRevoke, Condition: "the caller has opened the object by a handle and made handles of it for others", Effect: "EPERM", AlsoAccept: []string{"EACCES", "EINVAL"}, Evidence: Assumed, Source: docRevoke + ": only the creator can; " + infRevoke},
	{ID: "revoke/inherited-fd", Call: cRevoke, Condition: "a child of the creator has inherited the descriptor", Effect: "an error, and nothing is taken", Evidence: Documented, Source: docRevoke + ": the creator is the process that called shm_open()", HostDiffers: "After fork without exec every call of a C program fails (ENOSYS)."},
	{ID: "revoke/not-revocable", Call: cRevoke, Condition: "the object was not marked SHMCTL_REVOCABLE; sealed or not", Effect: "EINVAL", AlsoAccept: []string{"EPERM", "EACCES", "ENOTSUP"}, Evidence: Assumed, Source: docRevoke + ": it must be marked; " + infRevoke},
	{ID: "revoke/no-process", Call: cRevoke, Condition: "no process pid, and none that was given the object", Effect: "ESRCH", AlsoAccept: []string{"EOK", "EINVAL"}, Evidence: Assumed, Source: infRevoke},
	{ID: "revoke/pid-zero", Call: cRevoke, Condition: "pid 0", Effect: "ESRCH", AlsoAccept: []string{"EOK", "EINVAL"}, Evidence: Assumed, Source: "inferred: nothing says that 0 is the caller here"},
	{ID: "revoke/pid-negative", Call: cRevoke, Condition: "pid is negative and not -1", Effect: "ESRCH", AlsoAccept: []string{"EINVAL"}, Evidence: Assumed, Source: "inferred: not a valid process"},
	{ID: "revoke/pid-outside", Call: cRevoke, Condition: "pid does not fit pid_t", Effect: "ESRCH", Evidence: Module, Source: infFits},
	{ID: "revoke/table-full", Call: cRevoke, Condition: "the process has no descriptor left", Effect: "the mappings are inaccessible: the call needs none", Evidence: Assumed, Source: infModule},
	{ID: "revoke/order-fd-pid", Call: cRevoke, Condition: "bad fd and no process pid", Effect: "EBADF", Evidence: Assumed, Source: infOrder},
	{ID: "revoke/order-creator-flag", Call: cRevoke, Condition: "the caller is not the creator, and the object is not revocable", Effect: "EPERM", AlsoAccept: []string{"EINVAL", "EACCES"}, Evidence: Assumed, Source: infRevoke},
	{ID: "revoke/order-creator-pid", Call: cRevoke, Condition: "the caller is not the creator, and there is no process pid", Effect: "EPERM", AlsoAccept: []string{"ESRCH", "EINVAL", "EACCES"}, Evidence: Assumed, Source: infRevoke},
	{ID: "revoke/order-flag-pid", Call: cRevoke, Condition: "the object is not revocable, and there is no process pid", Effect: "EINVAL", AlsoAccept: []string{"ESRCH", "EPERM"}, Evidence: Assumed, Source: infRevoke},
	{ID: "revoke/never-mapped", Call: cRevoke, Condition: "the process has not mapped the object, or never heard of it", Effect: "works", Evidence: Assumed, Source: docGuide + ": the recipient might never map; revoking is the last step all the same"},
	{ID: "revoke/twice", Call: cRevoke, Condition: "the same again, with nothing left to take", Effect: "works", Evidence: Assumed, Source: docGuide + ": the recipient might never map; revoking is the last step all the same"},
	{ID: "revoke/ended", Call: cRevoke, Condition: "the process had mapped the object or had a handle, and has ended", Effect: "works", Evidence: Assumed, Source: infModule, HostDiffers: "A target may answer ESRCH for a process that is gone."},
	{ID: "revoke/zombie", Call: cRevoke, Condition: "the process had mapped the object, has ended and was not waited for", Effect: "works", Evidence: Assumed, Source: infModule, HostDiffers: "A target may answer ESRCH for a process that is gone."},
	{ID: "revoke/exec", Call: cRevoke, Condition: "the process had mapped the object and has called exec", Effect: "works, and takes what the new program has mapped", Evidence: Assumed, Source: docRevoke + ": it takes the mappings of that process"},
	{ID: "revoke/duplicate-fd", Call: cRevoke, Condition: "fd is a duplicate; the first descriptor is open, or closed", Effect: "works", Evidence: Documented, Source: docRevoke + ": any descriptor of the object"},
	{ID: "revoke/own-handle-fd", Call: cRevoke, Condition: "fd was opened by the creator from a handle that it made for itself; any access", Effect: "works", Evidence: Documented, Source: docRevoke + ": any descriptor of the object"},
	{ID: "revoke/window-fd", Call: cRevoke, Condition: "fd is a window", Effect: "works on the whole object", Evidence: Assumed, Source: docRevoke + ": it is the whole object that is revoked", Since: "8.0"},
	{ID: "revoke/returned-fd", Call: cRevoke, Condition: "the creator has closed its descriptor and opens a handle that a recipient made for it", Effect: "works, also on what was mapped before and meanwhile", Evidence: Assumed, Source: docRevoke + ": any descriptor of the object"},
	{ID: "revoke/takes", Call: cRevoke, Condition: "a recipient has mapped the object: by a descriptor, straight from a handle, several times", Effect: "all its mappings are inaccessible", Evidence: Documented, Source: docRevoke},
	{ID: "revoke/every-byte", Call: cRevoke, Condition: "the mapping has several pages", Effect: "each word of it is inaccessible", Evidence: Documented, Source: docRevoke},
	{ID: "revoke/mapped-before", Call: cRevoke, Condition: "some mappings were made before the object was marked", Effect: "they stay, of all processes; what was mapped after is inaccessible", Evidence: Documented, Source: docRevoke},
	{ID: "revoke/handle-before", Call: cRevoke, Condition: "descriptors and handles were made before the object was marked, and mapped after", Effect: "the mappings are inaccessible", Evidence: Documented, Source: docRevoke + ": it depends on when it was mapped"},
	{ID: "revoke/part", Call: cRevoke, Condition: "a recipient has mapped parts of the object", Effect: "all of them are inaccessible, unused handles of parts destroyed", Evidence: Documented, Source: docRevoke + ": it is the whole object that is revoked", Since: "8.0"},
	{ID: "revoke/range", Call: cRevoke, Condition: "a mapping is of a range of the object", Effect: "it is inaccessible", Evidence: Documented, Source: docRevoke + ": it is the whole object that is revoked"},
	{ID: "revoke/others-stay", Call: cRevoke, Condition: "pid is one process", Effect: "mappings and handles of the others stay, the creator's too; those of the creator go with its own pid", Evidence: Documented, Source: docRevoke},
	{ID: "revoke/everybody", Call: cRevoke, Condition: "pid -1", Effect: "all mappings are inaccessible, those of the creator too; its descriptor is good", Evidence: Documented, Source: docRevoke},
	{ID: "revoke/other-objects", Call: cRevoke, Condition: "the process has mapped another revocable object, too", Effect: "its mappings and handles stay", Evidence: Documented, Source: docRevoke + ": an object is revoked"},
	{ID: "revoke/passed-on-mapping", Call: cRevoke, Condition: "pid has mapped what a recipient passed on, who may have ended since", Effect: "its mapping is inaccessible, that of who passed it on stays", Evidence: Documented, Source: docRevoke},
	{ID: "revoke/sealed", Call: cRevoke, Condition: "the object was sealed when it was marked", Effect: "works", Evidence: Documented, Source: docGuide},
	{ID: "revoke/contents", Call: cRevoke, Condition: "a recipient has written to its mapping before", Effect: "the object keeps the contents and its size", Evidence: Assumed, Source: "inferred: mappings are taken, not memory"},
	{ID: "revoke/again", Call: cRevoke, Condition: "the process gets a new handle after each shm_revoke, and maps", Effect: "each time its mapping is inaccessible", Evidence: Assumed, Source: "inferred: it takes what there is, and forbids nothing"},
	{ID: "revoke/descriptor-stays", Call: cRevoke, Condition: "the recipient has a descriptor", Effect: "it can map again, and make handles", Evidence: Documented, Source: docGuide + ": one reason not to give descriptors"},
	{ID: "revoke/unused-open", Call: cOpen, Condition: "the object was revoked from the caller before it used the handle", Effect: "ESRCH", AlsoAccept: []string{"EBADF"}, Evidence: Documented, Source: docRevoke + ": unused handles are destroyed"},
	{ID: "revoke/unused-map", Call: cDirect, Condition: "the object was revoked from the caller before it used the handle", Effect: "ESRCH", AlsoAccept: []string{"EBADF"}, Evidence: Documented, Source: docRevoke + ": unused handles are destroyed"},
	{ID: "revoke/unused-delete", Call: cDelete, Condition: "the object was revoked from the recipient before it used the handle", Effect: "ESRCH", Evidence: Documented, Source: docRevoke + ": unused handles are destroyed"},
	{ID: "revoke/unused-before", Call: cOpen, Condition: "the creator made the handle before it marked the object", Effect: "ESRCH", AlsoAccept: []string{"EBADF"}, Evidence: Assumed, Source: docRevoke + ": unused handles are destroyed", HostDiffers: "On the host handles that another process made before stay; what is mapped from them can be taken."},
	{ID: "revoke/unused-others", Call: cOpen, Condition: "another recipient made the handle", Effect: "ESRCH", AlsoAccept: []string{"EBADF"}, Evidence: Assumed, Source: docRevoke + ": unused handles given to the process are destroyed"},
	{ID: "revoke/unused-quota", Call: cLimit, Condition: "the object was revoked while the handles were unused, whoever made them", Effect: "they do not count any more for their maker", Evidence: Assumed, Source: "inferred: they are no more", Since: "8.0"},
	{ID: "revoke/unused-elsewhere", Call: cRevoke, Condition: "other processes have unused handles", Effect: "they are good", Evidence: Documented, Source: docRevoke},
	{ID: "revoke/new-handle", Call: cRevoke, Condition: "the process gets a handle afterwards", Effect: "it can be opened, and mapped", Evidence: Assumed, Source: "inferred: it takes what there is, and forbids nothing"},
	{ID: "revoke/guarded", Call: cRevoke, Condition: "the recipient uses View, ReadAt, WriteAt or an atomic word", Effect: "an error that matches ErrRevoked", Evidence: Module, Source: infModule},
	{ID: "revoke/read-only", Call: cRevoke, Condition: "the mapping is read-only", Effect: "loads, and stores in View, are errors that match ErrRevoked", Evidence: Assumed, Source: infModule},
	{ID: "revoke/during-view", Call: cRevoke, Condition: "View runs", Effect: "its next access ends it, with an error that matches ErrRevoked", Evidence: Module, Source: infModule},
	{ID: "revoke/unmapped", Call: cMunmap, Condition: "the mapping was revoked", Effect: "works", Evidence: Documented, Source: lib70 + "munmap(): a range without mappings is no error"},
	{ID: "revoke/fault", Call: cRevoke, Condition: "the recipient touches the memory", Effect: "SIGSEGV, which ends its process", Evidence: Documented, Source: docRevoke, HostDiffers: "QNX SDP 7.1 may send SIGBUS: its manual does not say."},
	{ID: "revoke/fault-caught", Call: cRevoke, Condition: "the recipient touches the memory and catches the fault", Effect: "the first byte and the last are faults", Evidence: Documented, Source: docRevoke},
	{ID: "revoke/system-call", Call: cRevoke, Condition: "read() and write() are given the memory", Effect: "both fail with EFAULT", Evidence: Assumed, Source: "POSIX: the errno of a bad address"},
	{ID: "revoke/message-buffer", Call: cSend, Condition: "the message is memory that was revoked", Effect: "EFAULT", Evidence: Documented, Source: docSend + ", " + docReceive + ": the errno of a bad buffer is the sender's"},
	{ID: "revoke/fork", Call: cRevoke, Condition: "a process that has mapped a revocable object forks", Effect: "the child does not have the mapping", Evidence: Documented, Source: docRevoke + ": as MAP_NOINHERIT"},
	{ID: "revoke/at-return", Call: cRevoke, Condition: "a recipient reads and writes without end, by View, ReadAt and atomic words", Effect: "no access succeeds after shm_revoke has returned", Evidence: Documented, Source: docRevoke},
	{ID: "revoke/concurrent", Call: cRevoke, Condition: "many threads revoke one object from the same processes and from all", Effect: "all succeed", Evidence: Documented, Source: docRevoke + ": thread-safe"},
	{ID: "revoke/concurrent-objects", Call: cRevoke, Condition: "many threads revoke several objects from the same processes", Effect: "all succeed", Evidence: Documented, Source: docRevoke + ": thread-safe"},
	{ID: "revoke/race-map", Call: cRevoke, Condition: "the process maps a handle meanwhile", Effect: "the mapping is inaccessible, or the handle destroyed", Evidence: Assumed, Source: "inferred: the handle is either used or not"},
	{ID: "revoke/race-unmap", Call: cRevoke, Condition: "the process unmaps meanwhile", Effect: "both succeed", Evidence: Assumed, Source: "inferred: nothing is left to take"},
	{ID: "revoke/race-end", Call: cRevoke, Condition: "one of the processes is killed meanwhile", Effect: "works for all", Evidence: Assumed, Source: infModule},
	{ID: "revoke/recipient-stopped", Call: cRevoke, Condition: "a process that has mapped the object is stopped", Effect: "EAGAIN", Evidence: Module, Source: infModule, HostDiffers: diffConfirm + " It comes within a second, matches ErrRevokePending and names the process."},
	{ID: "revoke/stopped-writer", Call: cRevoke, Condition: "a process is stopped while it writes to the memory", Effect: "EAGAIN", Evidence: Module, Source: infModule, HostDiffers: diffConfirm + " When it runs again its mapping goes without another shm_revoke."},
	{ID: "revoke/elsewhere-stopped", Call: cRevoke, Condition: "a process other than pid, which has mapped the object, is stopped", Effect: "works at once", Evidence: Module, Source: infModule, HostDiffers: diffConfirm},
	{ID: "revoke/stopped-maker", Call: cRevoke, Condition: "a process that made handles for pid is stopped", Effect: "EAGAIN", Evidence: Module, Source: infModule, HostDiffers: diffConfirm},
	{ID: "revoke/stopped-killed", Call: cRevoke, Condition: "a stopped process is killed", Effect: "works then", Evidence: Module, Source: infModule, HostDiffers: diffConfirm},

	// RLIMIT_SHM_HANDLES_NP
	{ID: "limit/reached", Call: cCreate, Condition: "the maker has more unused handles than the limit would allow", Effect: "EAGAIN", Evidence: Documented, Source: docSubrange, Since: "8.0"},
	{ID: "limit/boundary", Call: cCreate, Condition: "the limit is N", Effect: "N unused handles can be made, and not one more", Evidence: Assumed, Source: docSubrange + ": says \"greater than\" the limit, which leaves one handle open", Since: "8.0"},
	{ID: "limit/part", Call: cSubrange, Condition: "as many unused handles as the limit", Effect: "EAGAIN", Evidence: Documented, Source: docSubrange, Since: "8.0"},
	{ID: "limit/zero", Call: cCreate, Condition: "the limit is 0", Effect: "EAGAIN", Evidence: Assumed, Source: docSubrange, Since: "8.0"},
	{ID: "limit/order", Call: cCreate, Condition: "the limit is reached, and an argument is bad", Effect: "the errno of the argument", Evidence: Assumed, Source: infOrder, Since: "8.0"},
	{ID: "limit/opened", Call: cCreate, Condition: "the limit was reached, then a handle was opened", Effect: "one more can be made", Evidence: Documented, Source: docSubrange + " charges a handle to its maker until it is opened, mapped or deleted", Since: "8.0"},
	{ID: "limit/mapped", Call: cCreate, Condition: "the limit was reached, then a handle was mapped", Effect: "one more can be made", Evidence: Documented, Source: docSubrange + " charges a handle to its maker until it is opened, mapped or deleted", Since: "8.0"},
	{ID: "limit/deleted", Call: cCreate, Condition: "the limit was reached, then a handle was deleted, by its maker or its recipient", Effect: "one more can be made", Evidence: Documented, Source: docSubrange + " charges a handle to its maker until it is opened, mapped or deleted", Since: "8.0"},
	{ID: "limit/recipient-gone", Call: cCreate, Condition: "the limit was reached, then the recipient of a handle has exited", Effect: "one more can be made", Evidence: Assumed, Source: "inferred: the handle is of no use to anybody", Since: "8.0"},
	{ID: "limit/failed-use", Call: cCreate, Condition: "the limit was reached, then opening and mapping a handle failed", Effect: "none can be made", Evidence: Assumed, Source: infKept, Since: "8.0"},
	{ID: "limit/each-maker", Call: cCreate, Condition: "another process has reached its limit, with handles of the same object and for the same recipient", Effect: "handles can be made", Evidence: Documented, Source: docSubrange + " charges a handle to its maker until it is opened, mapped or deleted", Since: "8.0"},
	{ID: "limit/lowered", Call: cSetLimit, Condition: "the new limit is below the number of unused handles", Effect: "works: they stay good, no more can be made before enough are used", Evidence: Assumed, Source: infLimit, Since: "8.0"},
	{ID: "limit/race", Call: cCreate, Condition: "many goroutines make handles, together more than the limit", Effect: "as many as the limit succeed, the others get EAGAIN", Evidence: Assumed, Source: docSubrange, Since: "8.0"},
	{ID: "limit/read", Call: cLimit, Condition: "success", Effect: "tells the limit in force, all ones for none, and how far it can be raised, which is not below; RLIM_INFINITY and what is above it become all ones", Evidence: Assumed, Source: hdr80 + ", sys/resource.h: RLIM_INFINITY, which is 2^64-3 there, is no limit; " + lib80 + "rlimits: the limit is of 8.0", Since: "8.0"},
	{ID: "limit/set", Call: cSetLimit, Condition: "success", Effect: "is what getrlimit tells", Evidence: Assumed, Source: infLimit, Since: "8.0"},
	{ID: "limit/above-max", Call: cSetLimit, Condition: "the limit in force would be above the maximum", Effect: "EINVAL", Evidence: Assumed, Source: infLimit, Since: "8.0"},
	{ID: "limit/raise-max", Call: cSetLimit, Condition: "the maximum would be raised, without privilege", Effect: "EPERM", Evidence: Assumed, Source: infLimit, Since: "8.0"},

	// ChannelCreate, MsgReceive
	{ID: "channel/flags-unknown", Call: cChannel, Condition: "unknown flags", Effect: "EINVAL", AlsoAccept: []string{"ENOTSUP"}, Evidence: Assumed, Source: infModule + "; " + score + " sees ENOTSUP on 7.1"},
	{ID: "channel/table-full", Call: cChannel, Condition: "the process has no descriptor left", Effect: "EAGAIN", Evidence: Documented, Source: docChannel, HostDiffers: "On the target a channel takes no descriptor: the case is skipped."},
	{ID: "channel/receive-timeout", Call: cReceive, Condition: "nothing comes in time", Effect: "ETIMEDOUT", Evidence: Observed, Source: score},
	{ID: "channel/receive-poll", Call: cReceive, Condition: "timeout 0, nothing there", Effect: "ETIMEDOUT", Evidence: Documented, Source: docTimeout},
	{ID: "channel/receive-poll-ready", Call: cReceive, Condition: "timeout 0, a pulse is there", Effect: "it is received", Evidence: Documented, Source: docReceive + ": what waits is copied at once"},
	{ID: "channel/receive-timeout-large", Call: cReceive, Condition: "a timeout above 32 bits of nanoseconds, something comes sooner", Effect: "it is received", Evidence: Assumed, Source: infFits},
	{ID: "channel/signals", Call: cReceive, Condition: "the Go runtime signals the thread that waits", Effect: "the call goes on; faults are not blocked, and nothing is afterwards that was not before", Evidence: Module, Source: infModule},
	{ID: "channel/closed-wakes", Call: cReceive, Condition: "the channel is closed while calls wait", Effect: "each returns an error that matches os.ErrClosed", Evidence: Older, Source: infOld + " (ESRCH); " + infModule},
	{ID: "channel/closed-before", Call: cReceive, Condition: "the channel was closed before", Effect: "an error that matches os.ErrClosed", Evidence: Module, Source: infModule},
	{ID: "channel/many-receivers", Call: cReceive, Condition: "many wait on one channel", Effect: "each message goes to one of them", Evidence: Documented, Source: docStarted},

	{ID: "death/closed", Call: cChannel, Condition: "with _NTO_CHF_COID_DISCONNECT: the server of a connection of this process closes its channel", Effect: "one death pulse, with the connection's id as its value", Evidence: Observed, Source: score},
	{ID: "death/killed", Call: cChannel, Condition: "with _NTO_CHF_COID_DISCONNECT: the server is killed or exits, the client has never sent", Effect: "one death pulse, with the connection's id as its value", Evidence: Documented, Source: docStarted},
	{ID: "death/each", Call: cChannel, Condition: "with _NTO_CHF_COID_DISCONNECT: this process has several connections to the server", Effect: "one death pulse for each", Evidence: Older, Source: infOld},
	{ID: "death/several", Call: cChannel, Condition: "two channels of a process have _NTO_CHF_COID_DISCONNECT", Effect: "each receives the pulse", Evidence: Assumed, Source: "inferred: later programs say that the limit of one channel, of the published QNX Neutrino 6.4 source, is gone", HostDiffers: "An older target refuses the second channel (EBUSY): the case is skipped."},
	{ID: "death/not-asked", Call: cChannel, Condition: "without _NTO_CHF_COID_DISCONNECT: a server is killed", Effect: "no death pulse", Evidence: Documented, Source: docStarted},
	{ID: "death/detached", Call: cChannel, Condition: "with _NTO_CHF_COID_DISCONNECT: a server is killed, the connection was closed before", Effect: "no death pulse", Evidence: Older, Source: infOld},

	// name_attach, name_open
	{ID: "name/taken", Call: cAttach, Condition: "this process has the name", Effect: "EEXIST", AlsoAccept: []string{"EBUSY"}, Evidence: Older, Source: infOld},
	{ID: "name/taken-elsewhere", Call: cAttach, Condition: "another process has the name", Effect: "EEXIST", AlsoAccept: []string{"EBUSY"}, Evidence: Older, Source: infOld},
	{ID: "name/attach-invalid", Call: cAttach, Condition: `the name is empty, begins with "/" or has ".."`, Effect: "EINVAL", Evidence: Older, Source: docAttach + ": such a name is not allowed; " + score + " sees a leading slash fail; the errno: " + infOld},
	{ID: "name/attach-with-zero-byte", Call: cAttach, Condition: "the name has a zero byte", Effect: "EINVAL", Evidence: Module, Source: infModule},
	{ID: "name/attach-long", Call: cAttach, Condition: "the name is longer than 255 bytes", Effect: "ENAMETOOLONG", Evidence: Assumed, Source: docNameOpen},
	{ID: "name/attach-longest", Call: cAttach, Condition: "the name has 255 bytes", Effect: "works", Evidence: Assumed, Source: infModule},
	{ID: "name/attach-race", Call: cAttach, Condition: "many attach one name", Effect: "one succeeds, the others get EEXIST (EBUSY)", Evidence: Older, Source: infOld},
	{ID: "name/closed", Call: cAttach, Condition: "the channel was closed", Effect: "the name is gone, and free for others", Evidence: Documented, Source: lib70 + "name_detach()"},
	{ID: "name/server-killed", Call: cAttach, Condition: "the server was killed", Effect: "the name is gone, and free for others", Evidence: Assumed, Source: "inferred: the path manager drops the paths of a dead process"},
	{ID: "name/no-server", Call: cName, Condition: "no server has the name", Effect: "ENOENT", Evidence: Documented, Source: docNameOpen},
	{ID: "name/open-invalid", Call: cName, Condition: `the name is empty or begins with "/"`, Effect: "EINVAL", Evidence: Older, Source: infOld},
	{ID: "name/open-parent", Call: cName, Condition: `the name has ".."`, Effect: "EINVAL", AlsoAccept: []string{"ENOENT"}, Evidence: Module, Source: infModule + ": published 6.4 source looks such a name up"},
	{ID: "name/open-with-zero-byte", Call: cName, Condition: "the name has a zero byte", Effect: "EINVAL", Evidence: Module, Source: infModule},
	{ID: "name/open-long", Call: cName, Condition: "the name is longer than 255 bytes", Effect: "ENAMETOOLONG", Evidence: Documented, Source: docNameOpen},
	{ID: "name/open-at-once", Call: cName, Condition: "the server does not receive yet", Effect: "returns at once", Evidence: Observed, Source: score},
	{ID: "name/first-message", Call: cName, Condition: "a client has opened the name and sends", Effect: "the first thing that the server receives is the client's own message", Evidence: Observed, Source: score},
	{ID: "name/wait", Call: cName, Condition: "OpenWait, the server comes later", Effect: "connects", Evidence: Module, Source: infModule},
	{ID: "name/wait-ends", Call: cName, Condition: "OpenWait, the context ends", Effect: "an error that matches both ENOENT and the context's", Evidence: Module, Source: infModule},

	// ConnectAttach
	{ID: "connect/no-process", Call: cConnect, Condition: "no process pid", Effect: "ESRCH", Evidence: Older, Source: infOld},
	{ID: "connect/pid-negative", Call: cConnect, Condition: "pid is negative or does not fit pid_t", Effect: "ESRCH", AlsoAccept: []string{"EINVAL", "EBADF"}, Evidence: Older, Source: score + ": pid -1 fails; " + infFits + "; the errno: " + infOld},
	{ID: "connect/no-channel", Call: cConnect, Condition: "the process has no such channel", Effect: "ESRCH", Evidence: Older, Source: infOld},
	{ID: "connect/no-channel-elsewhere", Call: cConnect, Condition: "another process has no such channel", Effect: "ESRCH", Evidence: Older, Source: infOld},
	{ID: "connect/channel-closed", Call: cConnect, Condition: "the channel was destroyed", Effect: "ESRCH", Evidence: Older, Source: infOld},
	{ID: "connect/pid-zero", Call: cConnect, Condition: "pid 0", Effect: "connects to the calling process", Evidence: Documented, Source: lib71 + "ConnectAttach()"},
	{ID: "connect/other", Call: cConnect, Condition: "pid and channel of another process", Effect: "works", Evidence: Documented, Source: docStarted},
	{ID: "connect/server-stopped", Call: cConnect, Condition: "the server is stopped; by name or by pid", Effect: "EAGAIN", AlsoAccept: []string{"EOK"}, Evidence: Module, Source: infModule + "; published 6.4 source refuses only processes that end", HostDiffers: "On the target the kernel connects: a stopped server does not matter. On the host the errno comes after 5 s."},
	{ID: "connect/private", Call: cConnect, Condition: "a private channel of another process", Effect: "EPERM", AlsoAccept: []string{"ESRCH"}, Evidence: Assumed, Source: "inferred: the errno for what only the owner may do"},
	{ID: "connect/private-own", Call: cConnect, Condition: "a private channel of the calling process", Effect: "works", Evidence: Observed, Source: score},
	{ID: "connect/server-pid", Call: cInfo, Condition: "a connection by name or by pid", Effect: "tells the server's pid", Evidence: Documented, Source: lib71 + "ConnectServerInfo()"},
	{ID: "connect/use-after-close", Call: cDetach, Condition: "the connection was closed", Effect: "every later call matches os.ErrClosed", Evidence: Module, Source: infModule},

	// MsgSend, MsgReply, MsgError
	{ID: "send/status", Call: cReply, Condition: "the server replies with a status", Effect: "it is the result of MsgSend", Evidence: Observed, Source: score},
	{ID: "send/status-negative", Call: cReply, Condition: "the status is negative or has more than 31 bits", Effect: "EINVAL", Evidence: Module, Source: infModule + ": C clients would take it for an error; " + docReply + " lets it pass"},
	{ID: "send/error-passes", Call: cError, Condition: "the server answers with an errno", Effect: "MsgSend fails with it", Evidence: Documented, Source: docError},
	{ID: "send/error-zero", Call: cError, Condition: "the server answers with errno 0", Effect: "MsgSend succeeds with status 0", Evidence: Documented, Source: docError},
	{ID: "send/restart", Call: cError, Condition: "the server answers with ERESTART", Effect: "the client sends the message again", Evidence: Documented, Source: docError},
	{ID: "send/restart-timeout", Call: cError, Condition: "the server answers with ERESTART until the timeout passes", Effect: "ETIMEDOUT", Evidence: Module, Source: infModule},
	{ID: "send/error-out-of-range", Call: cError, Condition: "the errno does not fit an int", Effect: "EINVAL", Evidence: Module, Source: infFits},
	{ID: "send/sizes", Call: cSend, Condition: "messages and replies of 0 bytes to 16 MiB", Effect: "arrive whole", Evidence: Documented, Source: docSend},
	{ID: "send/far-buffers", Call: cSend, Condition: "the buffers for a message and its reply are above 4 GiB", Effect: "what was sent is in them", Evidence: Assumed, Source: infFits},
	{ID: "send/receive-short", Call: cReceive, Condition: "the buffer is shorter than the message", Effect: "what fits is received, and the lengths tell", Evidence: Documented, Source: docReceive},
	{ID: "send/receive-buffer-bad", Call: cReceive, Condition: "the buffer is memory that cannot be written to", Effect: "EFAULT", Evidence: Documented, Source: docReceive},
	{ID: "send/server-buffer-bad", Call: cSend, Condition: "the server receives the message into memory that cannot be written to", Effect: "ESRVRFAULT", Evidence: Documented, Source: docSend},
	{ID: "send/reply-buffer-bad", Call: cSend, Condition: "the reply buffer is memory that cannot be written to", Effect: "EFAULT", Evidence: Documented, Source: docSend},
	{ID: "send/reply-long", Call: cReply, Condition: "the reply is longer than the client's buffer", Effect: "what fits is copied", Evidence: Documented, Source: docReply},
	{ID: "send/reply-short", Call: cReply, Condition: "the reply is shorter than the client's buffer", Effect: "the rest of the buffer keeps what it had", Evidence: Documented, Source: docReply},
	{ID: "send/lengths", Call: cReceive, Condition: "a message was received", Effect: "its info tells the bytes received, sent, and wanted in reply", Evidence: Documented, Source: lib70 + "what's new: the lengths are always filled in"},
	{ID: "send/sender", Call: cReceive, Condition: "a message was received", Effect: "its info tells the sender's pid", Evidence: Documented, Source: docReceive},
	{ID: "send/client-id", Call: cReceive, Condition: "two connections of one process, and one of another", Effect: "there is one scoid for each process", Evidence: Documented, Source: docStarted},
	{ID: "send/connection-id", Call: cReceive, Condition: "two connections of one process", Effect: "a message's info tells the connection, another for each", Evidence: Documented, Source: docReceive},
	{ID: "send/own-process", Call: cSend, Condition: "client and server are one process", Effect: "works", Evidence: Observed, Source: score},
	{ID: "send/handle", Call: cSend, Condition: "the server replies with a handle made for the sender", Effect: "the client opens and maps it", Evidence: Documented, Source: docCreate + ", example"},
	{ID: "send/handle-to-server", Call: cSend, Condition: "the client makes a handle for the server and sends it", Effect: "the server opens and maps it", Evidence: Observed, Source: "Eclipse S-CORE, tracing library"},
	{ID: "send/out-of-order", Call: cReply, Condition: "two messages are answered in the other order", Effect: "each client gets its own reply", Evidence: Documented, Source: docStarted},
	{ID: "send/concurrent", Call: cSend, Condition: "many send on one connection", Effect: "each gets its own reply", Evidence: Documented, Source: docSend},
	{ID: "send/many-clients", Call: cSend, Condition: "200 connections of several processes send at once", Effect: "each gets its own reply", Evidence: Documented, Source: docStarted},
	{ID: "send/second-reply", Call: cReply, Condition: "the message was answered before, and no newer one of its thread was received", Effect: "ESRCH", Evidence: Documented, Source: docReply},
	{ID: "send/second-error", Call: cError, Condition: "the message was answered before, and no newer one of its thread was received", Effect: "ESRCH", Evidence: Documented, Source: docError},
	{ID: "send/client-killed", Call: cReply, Condition: "the client was killed while it waited", Effect: "ESRCH", Evidence: Documented, Source: docReply},
	{ID: "send/reply-after-timeout", Call: cReply, Condition: "the client has timed out, and no newer one of its thread was received", Effect: "ESRCH", Evidence: Observed, Source: score},
	{ID: "send/next-after-timeout", Call: cSend, Condition: "the client sends again after a timeout", Effect: "it gets the answer to this message, not the late one", Evidence: Observed, Source: score},
	{ID: "send/late-reply-newer", Call: cReply, Condition: "the client has timed out, and the server has received its next message", Effect: "the newer message gets the answer if the same thread has sent it, since the id names the thread; else ESRCH", Evidence: Assumed, Source: lib70 + "MsgReceive(): the id is that of the sending thread and its connection", HostDiffers: "A goroutine that sends is taken for the thread that has used the connection last."},
	{ID: "send/timeout-send-blocked", Call: cSend, Condition: "timeout, the message was not received", Effect: "ETIMEDOUT", Evidence: Observed, Source: score},
	{ID: "send/timeout-reply-blocked", Call: cSend, Condition: "timeout, the message was received and not answered", Effect: "ETIMEDOUT", Evidence: Observed, Source: score},
	{ID: "send/timeout-zero", Call: cSend, Condition: "timeout 0, nobody receives", Effect: "ETIMEDOUT", Evidence: Documented, Source: docTimeout},
	{ID: "send/timeout-large", Call: cSend, Condition: "a timeout above 32 bits of nanoseconds, the answer comes sooner", Effect: "works", Evidence: Assumed, Source: infFits},
	{ID: "send/timeout-withdraws", Call: cSend, Condition: "a message timed out before it was received", Effect: "the server never sees it", Evidence: Older, Source: infOld},
	{ID: "send/signals", Call: cSend, Condition: "the Go runtime signals the thread that waits", Effect: "the call goes on, the message is sent once; faults are not blocked, and nothing is afterwards that was not before", Evidence: Module, Source: infModule},
	{ID: "send/server-killed-reply-blocked", Call: cSend, Condition: "the server process dies while it has the message", Effect: "ESRCH", Evidence: Documented, Source: docSend},
	{ID: "send/server-killed-send-blocked", Call: cSend, Condition: "the server process dies before it has received the message", Effect: "ESRCH", Evidence: Documented, Source: docSend},
	{ID: "send/server-exits", Call: cSend, Condition: "the server process exits while it has the message", Effect: "ESRCH", Evidence: Documented, Source: docSend},
	{ID: "send/server-gone", Call: cSend, Condition: "the server process was gone before", Effect: "EBADF", Evidence: Documented, Source: docSend},
	{ID: "send/channel-gone", Call: cSend, Condition: "the channel was destroyed before", Effect: "EBADF", Evidence: Documented, Source: docSend},
	{ID: "send/channel-closed-send-blocked", Call: cSend, Condition: "the channel is destroyed before the message was received", Effect: "EBADF", AlsoAccept: []string{"ESRCH"}, Evidence: Observed, Source: score},
	{ID: "send/channel-closed-reply-blocked", Call: cSend, Condition: "the channel is destroyed while the server has the message", Effect: "ESRCH", AlsoAccept: []string{"EBADF"}, Evidence: Older, Source: infOld},
	{ID: "send/closed-wakes", Call: cSend, Condition: "the connection is closed while calls wait, the channel has no _NTO_CHF_UNBLOCK", Effect: "each returns an error that matches os.ErrClosed", Evidence: Older, Source: infOld + " (EBADF); " + infModule},
	{ID: "send/reply-after-close", Call: cReply, Condition: "the client has closed its connection", Effect: "ESRCH", Evidence: Documented, Source: docReply},

	// Channels with _NTO_CHF_UNBLOCK
	{ID: "unblock/stays", Call: cSend, Condition: "the message was received, then the timeout passes", Effect: "the client stays blocked; what the server replies is the result", Evidence: Observed, Source: score},
	{ID: "unblock/pulse", Call: cReceive, Condition: "the timeout of a client passes whose message was received", Effect: "one unblock pulse, with the id of the message as its value", Evidence: Observed, Source: score + "; " + docStarted},
	{ID: "unblock/error", Call: cError, Condition: "the server answers a client that stays with an errno", Effect: "MsgSend fails with it", Evidence: Documented, Source: docError},
	{ID: "unblock/send-blocked", Call: cSend, Condition: "timeout, the message was not received", Effect: "ETIMEDOUT", Evidence: Documented, Source: docStarted},
	{ID: "unblock/send-blocked-silent", Call: cReceive, Condition: "a client timed out before its message was received", Effect: "the server gets neither the message nor a pulse", Evidence: Older, Source: infOld},
	{ID: "unblock/in-time", Call: cReceive, Condition: "the server replies before the timeout", Effect: "no unblock pulse", Evidence: Older, Source: infOld},
	{ID: "unblock/late-reply", Call: cReply, Condition: "the client that stayed was answered, and no newer one of its thread was received", Effect: "ESRCH", Evidence: Documented, Source: docReply},
	{ID: "unblock/withdrawn", Call: cReceive, Condition: "the timeout has passed, and the server replies before it receives the pulse", Effect: "no unblock pulse", Evidence: Older, Source: infOld},
	{ID: "unblock/let-go", Call: cError, Condition: "the server answers a client that stays with the errno -1", Effect: "ETIMEDOUT", Evidence: Documented, Source: docError},
	{ID: "unblock/let-go-waiting", Call: cError, Condition: "the server answers a client that waits on with the errno -1", Effect: "EINVAL", Evidence: Module, Source: infModule + ": the manual calls what the client would get garbage"},
	{ID: "unblock/detached", Call: cDetach, Condition: "the client closes its connection while the server has the message", Effect: "one unblock pulse; what the server replies is the result", Evidence: Documented, Source: docDetach80},
	{ID: "unblock/detached-unreceived", Call: cDetach, Condition: "the client closes its connection, the message was not received", Effect: "MsgSend returns an error that matches os.ErrClosed, and the server gets neither the message nor a pulse", Evidence: Documented, Source: docDetach80},
	{ID: "unblock/other-clients", Call: cSend, Condition: "a client stays", Effect: "messages of others, and of its own other threads, are received and answered", Evidence: Documented, Source: docStarted},
	{ID: "unblock/channel-closed", Call: cSend, Condition: "the channel is destroyed while a client stays", Effect: "ESRCH", AlsoAccept: []string{"EBADF"}, Evidence: Older, Source: infOld},
	{ID: "unblock/killed", Call: cReply, Condition: "a client is killed while it stays", Effect: "ESRCH", Evidence: Module, Source: infModule + "; published 6.4 source lets the client stay", HostDiffers: "On the target the client stays until it is answered, and then ends."},

	// ConnectDetach
	{ID: "detach/unknown-client", Call: cDetach, Condition: "the server detaches a client that is none", Effect: "EINVAL", Evidence: Documented, Source: docDetach},
	{ID: "detach/not-this-channels", Call: cDetach, Condition: "the number is that of another channel's client, of a connection of the server's own, or of an open file", Effect: "EINVAL", Evidence: Module, Source: infModule + ": the call itself takes any connection of the process"},
	{ID: "detach/client-gone", Call: cDetach, Condition: "after the disconnect pulse", Effect: "works once", Evidence: Documented, Source: docStarted},
	{ID: "detach/several", Call: cDetach, Condition: "two channels have two clients each", Effect: "every one can be detached", Evidence: Documented, Source: docDetach},
	{ID: "detach/blocked-client", Call: cDetach, Condition: "the client waits for an answer", Effect: "its MsgSend fails", Evidence: Assumed, Source: infCutOff, HostDiffers: diffCutOff},
	{ID: "detach/cuts-off", Call: cSend, Condition: "the server has detached the client", Effect: "EBADF", AlsoAccept: []string{"EINVAL"}, Evidence: Assumed, Source: infCutOff, HostDiffers: diffCutOff},

	// Pulses
	{ID: "pulse/received", Call: cPulse, Condition: "a client sends a pulse", Effect: "the server receives its code and value, and the client's scoid", Evidence: Documented, Source: docStarted},
	{ID: "pulse/wide-value", Call: cPulse, Condition: "the value has 64 bits", Effect: "it arrives whole", Evidence: Documented, Source: docPulses, Since: "8.0", HostDiffers: "QNX SDP 7.1 carries 32 bits; a wider value is EINVAL there."},
	{ID: "pulse/no-wait", Call: cPulse, Condition: "nobody receives", Effect: "returns at once", Evidence: Documented, Source: docStarted},
	{ID: "pulse/order", Call: cPulse, Condition: "one thread sends two pulses of its own priority, then a message", Effect: "they are received in this order", Evidence: Observed, Source: score},
	{ID: "pulse/not-answered", Call: cReply, Condition: "the server answers a pulse", Effect: "EINVAL", Evidence: Module, Source: infModule + "; " + docReceive + ": never reply to a pulse"},
	{ID: "pulse/priority", Call: cPulse, Condition: "the priority is below -1 or above 255", Effect: "EINVAL", AlsoAccept: []string{"EOK"}, Evidence: Module, Source: infModule + "; published QNX Neutrino 6.4 source uses the low bits"},
	{ID: "pulse/priority-zero", Call: cPulse, Condition: "the priority is 0", Effect: "it is 1", Evidence: Documented, Source: docPulse},
	{ID: "pulse/higher-first", Call: cReceive, Condition: "pulses of several priorities and messages wait", Effect: "the higher priority is received first, then what came first; messages have that of their thread, 10", Evidence: Documented, Source: docChannels, HostDiffers: "What different processes have sent with one priority is on the host in the order in which the server has looked."},
	{ID: "pulse/code", Call: cPulse, Condition: "the code is not 0 to 127", Effect: "EINVAL", AlsoAccept: []string{"EOK"}, Evidence: Module, Source: infModule + ": negative codes are the system's; a target takes every code of 8 bits (" + lib71 + "MsgSendPulse())"},
	{ID: "pulse/dead-channel", Call: cPulse, Condition: "the channel is gone", Effect: "EBADF", Evidence: Older, Source: infOld},
	{ID: "pulse/dead-server", Call: cPulse, Condition: "the server process is gone", Effect: "EBADF", Evidence: Older, Source: infOld},
	{ID: "pulse/many", Call: cPulse, Condition: "a hundred pulses of one priority wait", Effect: "all are received, in order", Evidence: Documented, Source: docStarted},
	{ID: "pulse/flood", Call: cPulse, Condition: "the server has too many pulses waiting", Effect: "EAGAIN", Evidence: Older, Source: docEvent + " lists this errno for its pulses; " + infOld, HostDiffers: "The number differs: 4096 and more of each client process on the host."},
	{ID: "disconnect/closed", Call: cPulse, Condition: "a client closes its last connection", Effect: "one disconnect pulse, with the client's scoid", Evidence: Observed, Source: score},
	{ID: "disconnect/killed", Call: cPulse, Condition: "a client is killed", Effect: "one disconnect pulse, with the client's scoid", Evidence: Documented, Source: docStarted},
	{ID: "disconnect/overtakes", Call: cPulse, Condition: "a client goes away whose pulses wait", Effect: "the disconnect pulse comes first, then they do", Evidence: Older, Source: infOld, HostDiffers: "On the host the server has to have seen it: what is there before may be received first."},
	{ID: "disconnect/blocked-thread", Call: cPulse, Condition: "a client closes its last connection while a thread stays blocked on it", Effect: "the disconnect pulse comes when the thread has its answer", Evidence: Older, Source: infOld},
	{ID: "disconnect/last", Call: cPulse, Condition: "a client closes one of two connections", Effect: "no disconnect pulse before the second is closed", Evidence: Observed, Source: score},
	{ID: "disconnect/silent-client", Call: cPulse, Condition: "a client that never sent anything goes away", Effect: "one disconnect pulse", Evidence: Older, Source: infOld},
	{ID: "disconnect/each", Call: cPulse, Condition: "several client processes go away", Effect: "one disconnect pulse for each", Evidence: Documented, Source: docStarted},
	{ID: "disconnect/not-asked", Call: cChannel, Condition: "a channel without _NTO_CHF_DISCONNECT", Effect: "no disconnect pulse", Evidence: Documented, Source: docStarted},
}
