package filter

import (
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"whatsappnode/ports"
)

//go:embed words.yaml
var ownWords []byte

// Lists are lists of words by name and language, as words.yaml has them.
type Lists map[string]map[string][]string

// maxWordsFile bounds a file of an operator's.
const maxWordsFile = 4 << 20

// LoadLists reads the lists of a file, or the program's own when path is empty.
func LoadLists(path string) (Lists, error) {
	data := ownWords
	if path != "" {
		info, err := os.Stat(path)
		if err != nil {
			return nil, errors.New("the file cannot be read")
		}
		if info.Size() > maxWordsFile {
			return nil, fmt.Errorf("the file is over %d MiB", maxWordsFile>>20)
		}
		if data, err = os.ReadFile(path); err != nil { // #nosec G304 -- the operator's own setting names the file
			return nil, errors.New("the file cannot be read")
		}
	}
	return ParseLists(data)
}

// ParseLists reads lists from YAML: name, language, words.
func ParseLists(data []byte) (Lists, error) {
	var out Lists
	if err := yaml.Unmarshal(data, &out); err != nil {
		return nil, fmt.Errorf("read lists of words: %w", err)
	}
	for name, languages := range out {
		if name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz_") != "" {
			return nil, fmt.Errorf("read lists of words: the name %q has more than small letters", name)
		}
		for language, words := range languages {
			for _, w := range words {
				if len(tokens(w)) == 0 && !wide(w) {
					return nil, fmt.Errorf("read lists of words: %s, %s: %q has no letters", name, language, w)
				}
			}
		}
	}
	return out, nil
}

// Names lists the filters that the lists make.
func (l Lists) Names() []string { return slices.Sorted(maps.Keys(l)) }

// Words masks the words and phrases of one list: of each word the first letter stays.
// It sees through capitals, digits in the place of letters and letters that are
// repeated. It implements ports.FilterPort.
type Words struct {
	name      string
	languages map[string]*lexicon
	all       *lexicon
}

var _ ports.FilterPort = (*Words)(nil)

// lexicon finds phrases by their first word.
type lexicon struct {
	phrases map[string][][]string
	begins  [][]string // whose last word stands for all that begin like it
	wide    []string   // of scripts without spaces, found anywhere
}

// NewWords makes the filter of one list.
func NewWords(name string, lists Lists) (*Words, error) {
	list, ok := lists[name]
	if !ok {
		return nil, fmt.Errorf("there is no list of words named %q", name)
	}
	w := &Words{name: name, languages: map[string]*lexicon{}, all: newLexicon()}
	for language, words := range list {
		l := newLexicon()
		for _, each := range words {
			l.add(each)
			w.all.add(each)
		}
		for _, each := range list["any"] {
			l.add(each)
		}
		w.languages[strings.ToLower(language)] = l
	}
	return w, nil
}

func newLexicon() *lexicon { return &lexicon{phrases: map[string][][]string{}} }

func (l *lexicon) add(entry string) {
	if wide(entry) {
		l.wide = append(l.wide, entry)
		return
	}
	entry, begins := strings.CutSuffix(strings.TrimSpace(entry), "*")
	var words []string
	for _, t := range tokens(entry) {
		words = append(words, fold(t.text))
	}
	if begins {
		l.begins = append(l.begins, words)
		return
	}
	l.phrases[words[0]] = append(l.phrases[words[0]], words)
}

// Filter implements ports.FilterPort.
func (w *Words) Filter(text, language string) (string, []string) {
	l := w.all
	if base, _, _ := strings.Cut(strings.ToLower(language), "-"); base != "" {
		if l = w.languages[base]; l == nil {
			if l = w.languages["any"]; l == nil {
				return text, nil
			}
		}
	}
	var found []string
	for _, entry := range l.wide {
		if n := strings.Count(text, entry); n > 0 {
			text = strings.ReplaceAll(text, entry, strings.Repeat("＊", utf8.RuneCountInString(entry)))
			found = append(found, slices.Repeat([]string{w.name}, n)...)
		}
	}
	all := tokens(text)
	var out strings.Builder
	from := 0
	for i := 0; i < len(all); {
		n := l.match(all[i:])
		if n == 0 {
			i++
			continue
		}
		for _, t := range all[i : i+n] {
			out.WriteString(text[from:t.from])
			out.WriteString(stars(t.text))
			from = t.to
		}
		found = append(found, w.name)
		i += n
	}
	if from == 0 {
		return text, found
	}
	out.WriteString(text[from:])
	return out.String(), found
}

// match gives how many tokens the longest phrase takes that begins here.
func (l *lexicon) match(all []token) int {
	best := 0
	for _, first := range foldings(all[0].text) {
		for _, phrase := range l.phrases[first] {
			if len(phrase) > best && matches(phrase[1:], all[1:], false) {
				best = len(phrase)
			}
		}
	}
	for _, phrase := range l.begins {
		if len(phrase) > best && matches(phrase, all, true) {
			best = len(phrase)
		}
	}
	return best
}

func matches(phrase []string, all []token, begins bool) bool {
	if len(phrase) > len(all) {
		return false
	}
	for i, want := range phrase {
		last := begins && i == len(phrase)-1
		if !slices.ContainsFunc(foldings(all[i].text), func(f string) bool { return f == want || last && strings.HasPrefix(f, want) }) {
			return false
		}
	}
	return true
}

// token is a word of a text.
type token struct {
	text     string
	from, to int
}

// tokens cuts a text into words. Marks that stand for letters belong to them.
func tokens(s string) []token {
	var out []token
	from := -1
	end := func(to int) {
		if from >= 0 && strings.ContainsFunc(s[from:to], unicode.IsLetter) {
			out = append(out, token{s[from:to], from, to})
		}
		from = -1
	}
	for i, r := range s {
		inside := unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) || r == '@' || r == '$'
		switch {
		case inside && from < 0:
			from = i
		case !inside:
			end(i)
		}
	}
	end(len(s))
	return out
}

// fold writes a word in small letters, with letters for the marks that stand for them.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case '0':
			return 'o'
		case '1':
			return 'i'
		case '3':
			return 'e'
		case '4', '@':
			return 'a'
		case '5', '$':
			return 's'
		case '7':
			return 't'
		}
		return unicode.ToLower(r)
	}, s)
}

// foldings are the ways to read a word: as it is, and with what is repeated more than
// twice once or twice.
func foldings(s string) []string {
	plain := fold(s)
	once, twice := collapse(plain, 1), collapse(plain, 2)
	if once == plain && twice == plain || twice == plain {
		return []string{plain}
	}
	return []string{plain, once, twice}
}

// collapse keeps so many of each letter that stands there three times or more in a row.
func collapse(s string, keep int) string {
	var out strings.Builder
	runes := []rune(s)
	for i := 0; i < len(runes); {
		j := i
		for j < len(runes) && runes[j] == runes[i] {
			j++
		}
		n := j - i
		if n > 2 {
			n = keep
		}
		for range n {
			out.WriteRune(runes[i])
		}
		i = j
	}
	return out.String()
}

// wide reports whether a phrase is of a script without spaces between words.
func wide(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool {
		return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
	})
}

// stars keeps the first letter of a word.
func stars(s string) string {
	_, size := utf8.DecodeRuneInString(s)
	return s[:size] + strings.Repeat("*", max(1, utf8.RuneCountInString(s)-1))
}
