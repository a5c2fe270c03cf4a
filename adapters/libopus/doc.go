// Package libopus encodes voice notes with libopus inside the process. It is part
// of a build with the tag "libopus", which needs cgo, a C compiler and Debian's
// libopus-dev and pkg-config:
//
//	CGO_ENABLED=1 go build -tags 'libopus nolibopusfile' ./cmd/whatsapp-node
//
// The tag nolibopusfile leaves out a part of the binding that is not used here and
// would need libopusfile. With -tags 'libopus nolibopusfile netgo osusergo' and
// -ldflags '-linkmode external -extldflags -static' the binary holds everything and
// runs without any library. A build without the tag has the same names, and New
// fails with ErrNotBuilt.
package libopus
