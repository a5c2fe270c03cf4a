package domain

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// ReplyStream reads a model's output while it arrives and gives what can be spoken
// already. It is the streaming sibling of ExtractReply, whose result over the whole
// Output stays the authority.
//
// As long as Void is false, the texts that Feed gave, joined and without white space at
// their end, are how ExtractReply's text begins, byte for byte. Only what is still held
// may be missing: the beginning of a tag, a language mark without its end, fewer than 60
// bytes. Neither that nor Void nor Language depends on how the output was cut into chunks.
//
// The zero value is ready. It is for one output and one goroutine and must not be copied.
// The time taken is linear in the output.
type ReplyStream struct {
	out      strings.Builder
	at       int // what is in front of it was given or is no part of the reply
	text     int // where the text began out of which nothing was taken since
	block    int // the place in reasoningTags, from 1, of the block that is open
	begun    bool
	void     bool
	language string
}

// Feed takes the next chunk and gives more text of the reply, often none. White space in
// front of the reply, blocks of reasoning and language marks are left out, wherever chunks
// cut them.
func (s *ReplyStream) Feed(chunk string) (text string) {
	s.out.WriteString(chunk)
	if s.void {
		return ""
	}
	text = s.read(s.out.String())
	if s.void {
		return "" // it is known now that this is no part of the reply, or may be none
	}
	return text
}

// Language is what the first mark that names a language says, as a BCP 47 tag; empty
// before one was read.
func (s *ReplyStream) Language() string { return s.language }

// Void reports that streaming is over: what was given turned out to be no part of the
// reply, since a stray end tag says that it was reasoning; or what comes cannot be known
// to be part of it before the output is whole. That is so when the reply begins with a
// quotation mark or a code fence, which ExtractReply takes off together with the one at
// the end, when a language mark is malformed, and when blocks lie in each other or a tag
// stands where taking another one out would make it whole. Feed gives nothing from then on.
func (s *ReplyStream) Void() bool { return s.void }

// Output is everything that was fed.
func (s *ReplyStream) Output() string { return s.out.String() }

// read judges the output as far as that can be done for good.
func (s *ReplyStream) read(out string) (text string) {
	for s.at < len(out) && !s.void {
		if s.block > 0 {
			if !s.think(out) {
				return text
			}
			continue
		}
		end, tag := textEnd(out, s.at)
		given, ok := s.begin(out[s.at:end], tag.whole())
		if !ok {
			s.at = end - len(given)
			return text
		}
		text += given // a part of the output itself, and copied only when it is in two
		s.at = end
		if !tag.whole() || !s.take(out, tag) {
			return text
		}
	}
	return text
}

// begin passes over the white space in front of the reply and looks at what it begins
// with. It reports false, with the text that is to wait, when the next bytes decide.
func (s *ReplyStream) begin(text string, cut bool) (rest string, ok bool) {
	for rest = text; rest != "" && !s.begun; {
		r, size := utf8.DecodeRuneInString(rest)
		switch {
		case !utf8.FullRuneInString(rest), rest == "`", rest == "``":
			s.void = cut // what decides stands behind something that is taken out
			return rest, false
		case r == '"', strings.HasPrefix(rest, "```"):
			s.void = true
			return rest, false
		case unicode.IsSpace(r):
			rest = rest[size:]
		default:
			s.begun = true
		}
	}
	return rest, true
}

// take leaves out a tag that begins at s.at. It reports false when there is nothing more
// to be read for now.
func (s *ReplyStream) take(out string, tag streamTag) bool {
	if halfTagAtEnd(out[s.text:s.at]) {
		s.void = true // what follows would complete it
		return false
	}
	switch tag.kind {
	case tagOpens:
		s.block = tag.block
	case tagEnds:
		if s.begun {
			s.void = true
			return false
		}
		s.language = "" // named in what was reasoning
	case tagMark:
		named, width, known := languageMark(out[s.at:])
		if !known || width == 0 {
			s.void = known
			return false
		}
		if clean, ok := CleanLanguage(named); ok && s.language == "" {
			s.language = clean
		}
		tag.size = width
	}
	s.at += tag.size
	s.text = s.at
	return true
}

// think passes over a block of reasoning and reports whether it ended. ExtractReply takes
// out one sort of block after the other: those of a later sort are not seen in here, those
// of an earlier one would reach beyond this block's end.
func (s *ReplyStream) think(out string) bool {
	for {
		i := strings.IndexByte(out[s.at:], '<')
		if i < 0 {
			s.at = len(out)
			return false
		}
		s.at += i
		tag := tagAt(out[s.at:])
		switch {
		case tag.kind == tagHalf:
			return false
		case tag.kind == tagEnds && tag.block == s.block:
			s.at += tag.size
			s.text, s.block = s.at, 0
			return true
		case tag.block > 0 && tag.block < s.block:
			s.void = true
			return false
		}
		s.at++
	}
}

// textEnd finds where text ends: at a tag, at what may become one, or with the output.
func textEnd(out string, from int) (int, streamTag) {
	for {
		i := strings.IndexByte(out[from:], '<')
		if i < 0 {
			return len(out), streamTag{}
		}
		from += i
		if tag := tagAt(out[from:]); tag.kind != tagNone {
			return from, tag
		}
		from++
	}
}

// languageMark reads a mark that begins a text. Its width is 0 when it is malformed; it
// is not known while its end may still come.
func languageMark(s string) (named string, width int, known bool) {
	rest := s[len(markOpen):]
	end := strings.IndexAny(rest[:min(len(rest), maxMark+1)], "<\n")
	switch {
	case end < 0:
		return "", 0, len(rest) > maxMark
	case strings.HasPrefix(rest[end:], markEnd):
		return rest[:end], len(markOpen) + end + len(markEnd), true
	}
	return "", 0, !strings.HasPrefix(markEnd, rest[end:])
}

// streamTag is a tag as it stands in an output.
type streamTag struct {
	kind  tagKind
	size  int
	block int // the place of the block in reasoningTags, from 1
}

type tagKind uint8

const (
	tagNone tagKind = iota
	tagHalf         // it may become one
	tagOpens
	tagEnds
	tagMark
)

func (t streamTag) whole() bool { return t.kind > tagHalf }

// streamTags are the tags that decide what is part of a reply.
var streamTags, longestTag = func() (map[string]streamTag, int) {
	tags := map[string]streamTag{markOpen: {kind: tagMark, size: len(markOpen)}}
	longest := len(markOpen)
	for i, name := range reasoningTags {
		open, end := "<"+name+">", "</"+name+">"
		tags[open] = streamTag{kind: tagOpens, size: len(open), block: i + 1}
		tags[end] = streamTag{kind: tagEnds, size: len(end), block: i + 1}
		longest = max(longest, len(end))
	}
	return tags, longest
}()

// tagAt tells which tag a text that begins with "<" begins with.
func tagAt(s string) streamTag {
	head := s[:min(len(s), longestTag)]
	if end := strings.IndexByte(head, '>'); end >= 0 {
		return streamTags[head[:end+1]]
	}
	if len(head) < longestTag && isHalfTag(head) {
		return streamTag{kind: tagHalf}
	}
	return streamTag{}
}

func isHalfTag(s string) bool {
	name := strings.TrimPrefix(s[1:], "/")
	for _, each := range reasoningTags {
		if strings.HasPrefix(each, name) {
			return true
		}
	}
	return strings.HasPrefix(markOpen, s)
}

// halfTagAtEnd tells whether a text ends like the beginning of a tag.
func halfTagAtEnd(s string) bool {
	at := strings.LastIndexByte(s[max(0, len(s)-longestTag):], '<')
	if at < 0 {
		return false
	}
	return tagAt(s[max(0, len(s)-longestTag)+at:]).kind == tagHalf
}
