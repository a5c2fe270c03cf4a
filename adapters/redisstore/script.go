package redisstore

import (
	"crypto/sha1" // #nosec G505 -- it is how Redis names scripts
	"embed"
	"encoding/hex"
	"strings"
)

//go:embed lua/*.lua
var sources embed.FS

// script is one Lua script. It is called by its SHA-1; a server that does not know it
// is given the text. rueidis.Lua is not used because it cannot run on the connection
// on which WAIT must follow.
type script struct{ text, sha string }

// The scripts; each file says what it does.
var (
	scAdmit      = load("admit", "with_names", "with_controls")
	scPin        = load("pin")
	scName       = load("name")
	scClaim      = load("claim", "with_turns", "with_controls")
	scPeek       = load("peek")
	scExtend     = load("extend", "with_turns")
	scPending    = load("pending", "with_turns")
	scCheckpoint = load("checkpoint", "with_turns")
	scDefer      = load("defer", "with_turns")
	scRelease    = load("release", "with_turns")
	scFinish     = load("finish", "with_turns")
	scObserve    = load("observe", "with_turns")
	scTurns      = load("turns")
	scLetters    = load("letters")
	scReplay     = load("replay", "with_turns")
	scDiscard    = load("discard")
	scInventory  = load("inventory")
	scForget     = load("forget", "with_names")
	scErase      = load("erase", "with_controls")
	scIdle       = load("idle", "with_controls")
	scRetire     = load("retire", "with_names")
	scTake       = load("take")
	scHold       = load("hold")
	scReserve    = load("reserve", "with_money")
	scSettle     = load("settle", "with_money")
	scBook       = load("book")
	scControl    = load("control", "with_turns", "with_controls")
	scControls   = load("controls", "with_controls")
)

// scAgree runs once a start, before there is anything to share with the others.
var scAgree = mustRead("agree")

func mustRead(name string) string {
	source, err := sources.ReadFile("lua/" + name + ".lua")
	if err != nil {
		panic(err) // the files are part of the program
	}
	return string(source)
}

// load joins the prelude, the parts a script shares with others, and the script.
func load(name string, with ...string) *script {
	var text strings.Builder
	for _, file := range append(append([]string{"prelude"}, with...), name) {
		text.WriteString(mustRead(file))
	}
	sum := sha1.Sum([]byte(text.String())) // #nosec G401 -- it is how Redis names scripts
	return &script{text: text.String(), sha: hex.EncodeToString(sum[:])}
}
