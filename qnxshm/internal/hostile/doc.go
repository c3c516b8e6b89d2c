// Package hostile shows that the host holds in bad company: other users'
// processes that break every rule, namespaces that show two processes different
// things, limits, filters and file systems that lack what the host needs, and
// numbers of mappings and handles that are large. It has tests only.
//
// They use the public packages, and sockets and files as a stranger would. What
// they know of the host's protocol is in protocol_test.go, and nowhere else.
//
// Most need root, to be somebody else, and are skipped without. A process that
// is to suffer is always a second one, so that whatever happens to it ends with
// its test.
package hostile
