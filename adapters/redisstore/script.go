package redisstore

import (
	"crypto/sha1" //nolint:gosec // it is how Redis names scripts
	"embed"
	"encoding/hex"
)

//go:embed lua/*.lua
var sources embed.FS

// script is one Lua script. It is called by its SHA-1; a server that does not know it
// is given the text. rueidis.Lua is not used because it cannot run on the connection
// on which WAIT must follow.
type script struct{ text, sha string }

// The scripts; each file says what it does.
var (
	scAdmit      = load("admit")
	scPin        = load("pin")
	scName       = load("name")
	scClaim      = load("claim")
	scPeek       = load("peek")
	scExtend     = load("extend")
	scCheckpoint = load("checkpoint")
	scDefer      = load("defer")
	scRelease    = load("release")
	scFinish     = load("finish")
	scObserve    = load("observe")
	scTurns      = load("turns")
	scLetters    = load("letters")
	scReplay     = load("replay")
	scDiscard    = load("discard")
	scInventory  = load("inventory")
	scForget     = load("forget")
	scErase      = load("erase")
	scTake       = load("take")
	scHold       = load("hold")
)

func load(name string) *script {
	prelude, err := sources.ReadFile("lua/prelude.lua")
	if err != nil {
		panic(err) // the file is part of the program
	}
	body, err := sources.ReadFile("lua/" + name + ".lua")
	if err != nil {
		panic(err)
	}
	text := string(prelude) + string(body)
	sum := sha1.Sum([]byte(text)) //nolint:gosec // see above
	return &script{text: text, sha: hex.EncodeToString(sum[:])}
}
