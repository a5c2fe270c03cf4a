package agentsfile

import (
	"maps"
	"reflect"
	"regexp"
	"slices"

	"whatsappnode/domain"
)

// agents checks what is written and lays it open.
func (r *reader) agents(written file, lines []int) File {
	if len(written.Agents) == 0 && len(r.faults) == 0 {
		r.fault(1, "there is no agent; the file needs the key agents with at least one")
	}
	var out File
	seen := map[domain.NumberID]int{}
	for i, w := range written.Agents {
		a := Agent{Settings: map[string]Value{}, Voices: map[string]string{}}
		if i < len(lines) {
			a.Line = lines[i]
		}
		fields(reflect.ValueOf(w), "", func(k Key, t text) {
			if k.Setting != "" && t.value != "" {
				a.Settings[k.Setting] = Value{Text: t.value, Key: k.Path, Line: t.line}
			}
		})
		a.Number = r.number(w.PhoneNumberID, a.Line, seen)
		a.Name = w.Name.value
		if a.Name == "" {
			a.Name = string(a.Number)
		}
		a.AccessTokenFrom = r.variable(w.AccessTokenFrom, "access_token_from")
		a.AppSecretFrom = r.variable(w.AppSecretFrom, "app_secret_from")
		a.VerifyTokenFrom = r.variable(w.VerifyTokenFrom, "verify_token_from")
		r.voices(w.Voice, a.Voices)
		out.Agents = append(out.Agents, a)
	}
	return out
}

var digits = regexp.MustCompile(`^[0-9]{1,64}$`)

func (r *reader) number(t text, line int, seen map[domain.NumberID]int) domain.NumberID {
	number := domain.NumberID(t.value)
	first, taken := seen[number]
	switch {
	case t.bad:
	case t.value == "":
		r.fault(max(line, t.line), "phone_number_id is required")
	case !digits.MatchString(t.value):
		r.fault(t.line, "phone_number_id must be digits only: it is the id that Meta shows, not the phone number")
	case taken:
		r.fault(t.line, "phone_number_id is that of the agent in line %d", first)
	default:
		seen[number] = t.line
	}
	return number
}

// variableName is what the name of a variable looks like. It is strict so that a
// secret that was put in its place is not taken for one: tokens have small letters.
var variableName = regexp.MustCompile(`^[A-Z][A-Z0-9_]{0,99}$`)

func (r *reader) variable(t text, key string) Value {
	if t.line > 0 && !t.bad && !variableName.MatchString(t.value) {
		r.fault(t.line, "%s must be the name of an environment variable, in capitals; the secret itself never stands in this file", key)
		t.value = "" // it may be that secret
	}
	return Value{Text: t.value, Key: key, Line: t.line}
}

func (r *reader) voices(written map[string]text, out map[string]string) {
	for _, tag := range slices.Sorted(maps.Keys(written)) {
		t := written[tag]
		clean, ok := domain.CleanLanguage(tag)
		switch {
		case t.bad:
		case !ok:
			r.fault(t.line, "a key of voice must be a language tag such as es or pt-BR")
		case t.value == "":
			r.fault(t.line, "voice.%s is empty", tag)
		case out[clean] != "":
			r.fault(t.line, "voice.%s is given twice, in different spellings", clean)
		default:
			out[clean] = t.value
		}
	}
}
