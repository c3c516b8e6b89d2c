package shmtest

const (
	docRead     = lib70 + "MsgRead()"
	docReceive8 = lib80 + "MsgReceive()"
)

// pieceRules are about messages and replies in several pieces of memory, and those that
// are read and written piece by piece.
var pieceRules = []Rule{
	{ID: "pieces/send", Call: cSendv, Condition: "message and reply buffer lie in several pieces of memory, some of them empty", Effect: "it is one message, in the order of the pieces, and the reply fills the buffers in theirs", Evidence: Documented, Source: docSend},
	{ID: "pieces/none", Call: cSendv, Condition: "no piece, or empty ones only", Effect: "a message of 0 bytes", Evidence: Observed, Source: score},
	{ID: "pieces/reply", Call: cReplyv, Condition: "the reply lies in several pieces of memory", Effect: "the client gets one reply, in the order of the pieces", Evidence: Documented, Source: docReply},
	{ID: "pieces/too-many", Call: cSendv, Condition: "more than 524288 pieces in a message, a reply buffer, or a reply", Effect: "EOVERFLOW", Evidence: Assumed, Source: "inferred from " + docReceive8},
	{ID: "pieces/message-bad", Call: cSendv, Condition: "one piece of the message is memory that cannot be read", Effect: "EFAULT", Evidence: Documented, Source: docSend},
	{ID: "pieces/message-bad-unseen", Call: cReceive, Condition: "a client's message cannot be read while a server waits", Effect: "the server goes on waiting, and gets the next message", Evidence: Documented, Source: docReceive},

	{ID: "read/offset", Call: cRead, Condition: "a message was received, in part or whole", Effect: "its bytes from the offset on are copied, as many as there are and fit", Evidence: Documented, Source: docRead},
	{ID: "read/past-end", Call: cRead, Condition: "the offset is at the end of the message or beyond", Effect: "no bytes, which is no error", Evidence: Documented, Source: docRead},
	{ID: "read/answered", Call: cRead, Condition: "the message was answered", Effect: "ESRCH", Evidence: Documented, Source: docRead},
	{ID: "read/client-timed-out", Call: cRead, Condition: "the client has timed out", Effect: "ESRCH", Evidence: Documented, Source: docRead},
	{ID: "read/buffer-bad", Call: cRead, Condition: "the buffer is memory that cannot be written to", Effect: "ESRVRFAULT", AlsoAccept: []string{"EFAULT"}, Evidence: Documented, Source: docRead + ", which swaps the words for ESRVRFAULT and EFAULT"},
	{ID: "read/negative", Call: cRead, Condition: "ReadAt or WriteAt with a negative offset, or of a pulse", Effect: "EINVAL", Evidence: Module, Source: infModule},

	{ID: "write/offset", Call: cWrite, Condition: "the server writes to several places of the reply buffer, then replies without data", Effect: "the client finds there what was written, and the rest of the buffer as it was", Evidence: Documented, Source: lib70 + "MsgWrite()"},
	{ID: "write/before-reply", Call: cWrite, Condition: "the server writes, then replies with data", Effect: "the data is at the begin of the buffer, what was written behind it stays", Evidence: Documented, Source: lib70 + "MsgWrite()"},
	{ID: "write/past-end", Call: cWrite, Condition: "more is written than the reply buffer has room for", Effect: "what fits is written", Evidence: Documented, Source: lib70 + "MsgWrite()"},
	{ID: "write/answered", Call: cWrite, Condition: "the message was answered", Effect: "ESRCH", Evidence: Documented, Source: docRead},
	{ID: "write/data-bad", Call: cWrite, Condition: "what is to be written cannot be read", Effect: "ESRVRFAULT", AlsoAccept: []string{"EFAULT"}, Evidence: Assumed, Source: "inferred from " + docRead},
}
