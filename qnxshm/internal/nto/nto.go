// Package nto has QNX's numbers, once for all of Go. Behind each stands its name
// in C; a test holds it to what qnxhost/include says of that name.
package nto

// NoFD is what mmap is given with MapAnon.
const NoFD = -1 // NOFD

// Protection of memory.
const (
	ProtNone    = 0x0   // PROT_NONE
	ProtRead    = 0x100 // PROT_READ
	ProtWrite   = 0x200 // PROT_WRITE
	ProtExec    = 0x400 // PROT_EXEC
	ProtNoCache = 0x800 // PROT_NOCACHE
	ProtMask    = 0xf00 // PROT_MASK
)

// Flags of mmap.
const (
	MapShared    = 0x1     // MAP_SHARED
	MapPrivate   = 0x2     // MAP_PRIVATE
	MapType      = 0x3     // MAP_TYPE
	MapFixed     = 0x10    // MAP_FIXED
	MapELF       = 0x20    // MAP_ELF
	MapLazy      = 0x80    // MAP_LAZY
	MapStack     = 0x1000  // MAP_STACK
	MapBelow     = 0x2000  // MAP_BELOW
	MapNoInit    = 0x4000  // MAP_NOINIT
	MapPhys      = 0x10000 // MAP_PHYS
	MapNoInherit = 0x20000 // MAP_NOINHERIT
	MapHandle    = 0x40000 // MAP_HANDLE
	MapAnon      = 0x80000 // MAP_ANON
)

// HandleNoFD is the option of shm_create_handle.
const HandleNoFD = 0x1 // SHM_CREATE_HANDLE_OPT_NOFD

// Flags of shm_ctl.
const (
	ControlAnonymous   = 0x1    // SHMCTL_ANON
	ControlPhysical    = 0x2    // SHMCTL_PHYS
	ControlSeal        = 0x4    // SHMCTL_SEAL
	ControlRevocable   = 0x8    // SHMCTL_REVOCABLE
	ControlGlobal      = 0x10   // SHMCTL_GLOBAL
	ControlPrivate     = 0x20   // SHMCTL_PRIV
	ControlLowerProt   = 0x40   // SHMCTL_LOWERPROT
	ControlLazyWrite   = 0x80   // SHMCTL_LAZYWRITE
	ControlHighUsage   = 0x200  // SHMCTL_HIGHUSAGE
	ControlLazy        = 0x400  // SHMCTL_LAZY
	ControlRepeat      = 0x800  // SHMCTL_REPEAT
	ControlNoDefrag    = 0x1000 // SHMCTL_NODEFRAG
	ControlTypedMemory = 0x2000 // SHMCTL_TYMEM
	ControlGetFlags    = 0x4000 // SHMCTL_GET_FLAGS
	ControlHasSpecial  = 0x8000 // SHMCTL_HAS_SPECIAL
)

// Flags of a channel.
const (
	ChannelFixedPriority  = 0x1    // _NTO_CHF_FIXED_PRIORITY
	ChannelUnblock        = 0x2    // _NTO_CHF_UNBLOCK
	ChannelThreadDeath    = 0x4    // _NTO_CHF_THREAD_DEATH
	ChannelDisconnect     = 0x8    // _NTO_CHF_DISCONNECT
	ChannelNetMsg         = 0x10   // _NTO_CHF_NET_MSG
	ChannelSenderLen      = 0x20   // _NTO_CHF_SENDER_LEN
	ChannelCOIDDisconnect = 0x40   // _NTO_CHF_COID_DISCONNECT
	ChannelReplyLen       = 0x80   // _NTO_CHF_REPLY_LEN
	ChannelPulsePool      = 0x100  // _NTO_CHF_PULSE_POOL
	ChannelGlobal         = 0x800  // _NTO_CHF_GLOBAL
	ChannelPrivate        = 0x1000 // _NTO_CHF_PRIVATE
	ChannelMsgPausing     = 0x2000 // _NTO_CHF_MSG_PAUSING
	ChannelInheritRunmask = 0x4000 // _NTO_CHF_INHERIT_RUNMASK
	ChannelUnblockTimer   = 0x8000 // _NTO_CHF_UNBLOCK_TIMER
)

// Flags of a connection, and how its number begins.
const (
	ConnectionCloexec   = 0x1    // _NTO_COF_CLOEXEC
	ConnectionDead      = 0x2    // _NTO_COF_DEAD
	ConnectionNoInherit = 0x4    // _NTO_COF_NOINHERIT
	ConnectionLocal     = 0x8    // _NTO_COF_LOCAL
	ConnectionNoShare   = 0x40   // _NTO_COF_NOSHARE
	ConnectionAllowed   = 0x80   // _NTO_COF_ALLOWED
	ConnectionPipe      = 0x400  // _NTO_COF_PIPE
	ConnectionNoEvent   = 0x800  // _NTO_COF_NOEVENT
	ConnectionRegEvents = 0x2000 // _NTO_COF_REG_EVENTS
	ConnectionDup2      = 0x8000 // _NTO_COF_DUP2

	SideChannel     = 0x40000000 // _NTO_SIDE_CHANNEL
	ConnectionSCOID = 0x10000    // _NTO_CONNECTION_SCOID
)

// Codes of pulses. Those that programs choose are from PulseMinAvail to
// PulseMaxAvail.
const (
	PulseUnblock      = -32 // _PULSE_CODE_UNBLOCK
	PulseDisconnect   = -33 // _PULSE_CODE_DISCONNECT
	PulseThreadDeath  = -34 // _PULSE_CODE_THREADDEATH
	PulseCOIDDeath    = -35 // _PULSE_CODE_COIDDEATH
	PulseUnblockTimer = -42 // _PULSE_CODE_UNBLOCK_TIMER
	PulseMinAvail     = 0   // _PULSE_CODE_MINAVAIL
	PulseMaxAvail     = 127 // _PULSE_CODE_MAXAVAIL
)

// Kinds of events, and flags beside them.
const (
	EventNone         = 0x0    // SIGEV_NONE
	EventSignal       = 0x81   // SIGEV_SIGNAL
	EventSignalCode   = 0x82   // SIGEV_SIGNAL_CODE
	EventSignalThread = 0x83   // SIGEV_SIGNAL_THREAD
	EventPulse        = 0x84   // SIGEV_PULSE
	EventThread       = 0x87   // SIGEV_THREAD
	EventKind         = 0xff   // SIGEV_TYPE_MASK
	EventUpdateable   = 0x400  // SIGEV_FLAG_UPDATEABLE
	EventHandle       = 0x2000 // SIGEV_FLAG_HANDLE
)

// SystemManager is the connection to the process manager that every process has.
const SystemManager = 0x40000000 // SYSMGR_COID

// MsgInfoUnblockRequested is a flag of a received message: its sender does not
// want to wait any more.
const MsgInfoUnblockRequested = 0x100 // _NTO_MI_UNBLOCK_REQ

// States of threads in which a timeout can end a call, and the flags of
// TimerTimeout for them.
const (
	StateSend    = 4 // STATE_SEND
	StateReceive = 5 // STATE_RECEIVE
	StateReply   = 6 // STATE_REPLY

	TimeoutSend    = 1 << StateSend    // _NTO_TIMEOUT_SEND
	TimeoutReceive = 1 << StateReceive // _NTO_TIMEOUT_RECEIVE
	TimeoutReply   = 1 << StateReply   // _NTO_TIMEOUT_REPLY
)
