package domain

import "strings"

// date reads 2026-11-22, 22.11.2026 and, by the language's order, 11/22/2026.
func (n *Narrator) date(words []word, i int) reading {
	day, month, year, ok := parseDate(words[i].core, n.words.monthFirst)
	if !ok || n.words.months == nil {
		return reading{}
	}
	name, d, y := n.words.months[month-1], itoa(day), itoa(year)
	switch n.words.tag {
	case "en":
		if n.words.monthFirst {
			return reading{name + " " + d + ", " + y, 1}
		}
	case "es", "pt":
		return reading{d + " de " + name + " de " + y, 1}
	case "de":
		return reading{d + ". " + name + " " + y, 1}
	case "fr":
		if day == 1 {
			d = "1er"
		}
	}
	return reading{d + " " + name + " " + y, 1}
}

func isDate(s string) bool { _, _, _, ok := parseDate(s, false); return ok }

// parseDate takes a date apart. A month above twelve is taken for the day.
func parseDate(s string, monthFirst bool) (day, month, year int, ok bool) {
	var parts []string
	mark := ""
	for _, m := range []string{"-", ".", "/"} {
		if strings.Count(s, m) == 2 { // which no word costs anything
			mark, parts = m, strings.Split(s, m)
			break
		}
	}
	if mark == "" || !isDigits(parts[0]) || !isDigits(parts[1]) || !isDigits(parts[2]) || len(parts[1]) > 2 {
		return 0, 0, 0, false
	}
	a, b, c := number(parts[0]), number(parts[1]), number(parts[2])
	switch {
	case len(parts[0]) == 4 && len(parts[2]) <= 2:
		day, month, year = c, b, a
	case len(parts[0]) > 2 || len(parts[2]) != 4 && (len(parts[2]) != 2 || mark == "-"):
		return 0, 0, 0, false
	case mark == "/" && monthFirst && a <= 12 || b > 12:
		day, month, year = b, a, c
	default:
		day, month, year = a, b, c
	}
	if year < 100 {
		year += 2000
	}
	return day, month, year, day >= 1 && day <= 31 && month >= 1 && month <= 12
}

// clock reads 17:30, 17h30 and 5pm, alone or as a span.
func (n *Narrator) clock(words []word, i int) reading {
	if n.words.tag == "" {
		return reading{}
	}
	core := strings.ReplaceAll(words[i].core, "–", "-")
	if from, to, ok := strings.Cut(core, "-"); ok {
		a, okA := n.hour(from)
		b, okB := n.hour(to)
		if okA && okB && strings.Contains(from+to, ":") {
			return reading{a + " " + n.words.to + " " + b, 1}
		}
		return reading{}
	}
	next := ""
	if i+1 < len(words) && words[i].trail == "" && words[i+1].lead == "" {
		next = strings.ToLower(strings.ReplaceAll(words[i+1].core, ".", ""))
	}
	if half, glued := strings.CutSuffix(strings.ToLower(core), "am"); glued {
		return n.halfDay(half, "am", 1)
	} else if half, glued := strings.CutSuffix(strings.ToLower(core), "pm"); glued {
		return n.halfDay(half, "pm", 1)
	} else if next == "am" && n.words.tag != "de" || next == "pm" {
		return n.halfDay(core, next, 2)
	}
	said, ok := n.hour(core)
	if !ok {
		return reading{}
	}
	if n.words.tag == "de" && next == "uhr" || n.words.tag != "en" && (next == "h" || next == "hs") {
		return reading{said, 2}
	}
	return reading{said, 1}
}

// hour reads one time of the 24-hour clock.
func (n *Narrator) hour(s string) (string, bool) {
	if n.words.tag == "fr" || n.words.tag == "pt" {
		s = strings.Replace(s, "h", ":", 1)
		if strings.HasSuffix(s, ":") {
			s += "00"
		}
	}
	h, m, ok := strings.Cut(s, ":")
	if !ok || !isDigits(h) || !isDigits(m) || len(h) > 2 || len(m) != 2 || number(h) > 24 || number(m) > 59 {
		return "", false
	}
	hour, minute := number(h), number(m)
	hh, mm := itoa(hour), itoa(minute)
	full := minute == 0
	switch n.words.tag {
	case "en":
		half := ""
		if hour == 0 || hour == 24 {
			hh, half = "12", " AM"
		} else if hour > 12 {
			hh, half = itoa(hour-12), " PM"
		}
		if full && half != "" {
			return hh + half, true
		}
		return hh + ":" + m + half, true
	case "de":
		if full {
			return hh + " Uhr", true
		}
		return hh + " Uhr " + mm, true
	case "fr":
		if hour != 1 && hour != 0 {
			hh += " heures"
		} else {
			hh += " heure"
		}
		if full {
			return hh, true
		}
		return hh + " " + mm, true
	case "es", "pt":
		and := map[string]string{"es": " y ", "pt": " e "}[n.words.tag]
		if full && hour != 1 {
			return hh + " horas", true
		} else if full {
			return hh, true
		}
		return hh + and + mm, true
	}
	if full {
		return hh, true
	}
	return hh + " e " + mm, true
}

// halfDay reads a time of the 12-hour clock.
func (n *Narrator) halfDay(s, half string, used int) reading {
	h, m, minutes := strings.Cut(s, ":")
	if !isDigits(h) || len(h) > 2 || number(h) < 1 || number(h) > 12 || minutes && (!isDigits(m) || len(m) != 2 || number(m) > 59) {
		return reading{}
	}
	hh := itoa(number(h))
	hour := number(h) % 12
	part := func(morning, afternoon, evening string) string {
		switch {
		case half == "am":
			return morning
		case hour < 8:
			return afternoon
		}
		return evening
	}
	rest := minutes && number(m) != 0
	switch n.words.tag {
	case "es":
		if rest {
			hh += " y " + itoa(number(m))
		}
		return reading{hh + part(" de la mañana", " de la tarde", " de la noche"), used}
	case "pt":
		if rest {
			hh += " e " + itoa(number(m))
		}
		return reading{hh + part(" da manhã", " da tarde", " da noite"), used}
	case "en":
		if rest {
			hh += ":" + m
		}
		return reading{hh + " " + strings.ToUpper(half), used}
	}
	if half == "pm" {
		hour += 12
	}
	if !minutes {
		m = "00"
	}
	said, _ := n.hour(itoa(hour) + ":" + m)
	return reading{said, used}
}

// splitNumber takes a written number apart. Of one point or comma in front of three
// digits it cannot be known what it is: with grouped it groups, else it is the
// language's decimal sign that is not the group's.
func (n *Narrator) splitNumber(s string, grouped bool) (whole, fraction string, ok bool) {
	s = strings.ReplaceAll(s, "'", "")
	if s == "" || len(s) > 24 || strings.Trim(s, digits+".,") != "" || !isDigits(s[:1]) || !isDigits(s[len(s)-1:]) {
		return "", "", false
	}
	at := strings.LastIndexAny(s, ".,")
	if at < 0 {
		return s, "", true
	}
	mark := s[at : at+1]
	before, after := s[:at], s[at+1:]
	single := !strings.ContainsAny(before, ".,")
	if strings.Contains(before, mark) || single && len(after) == 3 && before != "0" && (grouped || mark != n.words.decimal) {
		before, after = s, ""
	}
	return strings.NewReplacer(".", "", ",", "").Replace(before), after, true
}

// quantity writes a number the way the language's engines read it.
func (n *Narrator) quantity(whole, fraction string) string {
	if fraction == "" {
		return whole
	}
	return whole + n.words.decimal + fraction
}

// amount reads money with its sign or code in front or behind.
func (n *Narrator) amount(words []word, i int) reading {
	if n.words.money == nil {
		return reading{}
	}
	code, figure, used := "", words[i].core, 1
	minus := strings.HasPrefix(figure, "-")
	figure = strings.TrimPrefix(figure, "-")
	if code, figure = cutCurrency(figure); code != "" && figure == "" && i+1 < len(words) && words[i].trail == "" && words[i+1].lead == "" {
		figure, used = words[i+1].core, 2 // EUR 12.50
	}
	join, size := "", ""
	next := func() string {
		if i+used < len(words) && words[i+used-1].trail == "" && words[i+used].lead == "" {
			return words[i+used].core
		}
		return ""
	}
	whole, fraction, ok := n.splitNumber(figure, true)
	if !ok {
		return reading{}
	}
	if j, known := n.words.magnitudes[strings.ToLower(next())]; known {
		join, size = j, next()
		used++
	}
	if code == "" {
		var rest string
		if code, rest = cutCurrency(next()); code == "" || rest != "" {
			return reading{}
		}
		used++ // 12,50 €
	}
	names, ok := n.words.money[code]
	if !ok {
		return reading{}
	}
	one, many, _ := strings.Cut(names, "|")
	said := ""
	switch cents := strings.TrimLeft(fraction, "0"); {
	case size != "":
		if join == "d'" && !strings.ContainsAny(many[:1], "aeiou") {
			join = "de "
		}
		said = n.quantity(whole, fraction) + " " + size + " " + join + many
	case len(fraction) > 2 || len(fraction) == 1:
		said = n.quantity(whole, fraction) + " " + many
	case cents == "":
		said = whole + " " + many
		if whole == "1" {
			said = whole + " " + one
		}
	default:
		unit := many
		if whole == "1" {
			unit = one
		}
		said = whole + " " + unit + map[string]string{"en": " and ", "es": " con ", "pt": " e ", "it": " e "}[n.words.tag]
		if n.words.tag == "de" || n.words.tag == "fr" {
			said += " "
		}
		said += cents
		if n.words.tag == "en" {
			if whole == "0" {
				said = cents
			}
			said += englishCents(code, cents == "1")
		}
	}
	if minus {
		said = n.words.minus + " " + said
	}
	return reading{said, used}
}

func englishCents(code string, one bool) string {
	switch {
	case code == "GBP" && one:
		return " penny"
	case code == "GBP":
		return " pence"
	case code == "USD" || code == "EUR" || code == "CAD" || code == "AUD":
		if one {
			return " cent"
		}
		return " cents"
	}
	return ""
}

// currencySigns are tried in order: the longer ones first.
var currencySigns = []struct{ sign, code string }{
	{"US$", "USD"},
	{"R$", "BRL"},
	{"C$", "CAD"},
	{"A$", "AUD"},
	{"MX$", "MXN"},
	{"$", "USD"},
	{"€", "EUR"},
	{"£", "GBP"},
	{"¥", "JPY"},
	{"₹", "INR"},
	{"USD", "USD"},
	{"EUR", "EUR"},
	{"GBP", "GBP"},
	{"JPY", "JPY"},
	{"INR", "INR"},
	{"BRL", "BRL"},
	{"CHF", "CHF"},
	{"MXN", "MXN"},
	{"CAD", "CAD"},
	{"AUD", "AUD"},
}

// cutCurrency takes a currency's sign or code off either end.
func cutCurrency(s string) (code, rest string) {
	for _, c := range currencySigns {
		if rest, ok := strings.CutPrefix(s, c.sign); ok {
			return c.code, rest
		}
		if rest, ok := strings.CutSuffix(s, c.sign); ok {
			return c.code, rest
		}
	}
	return "", s
}

// measure reads percentages and measures: "15%", "12,5 %", "80 km/h", "-5°C".
func (n *Narrator) measure(words []word, i int) reading {
	if n.words.units == nil {
		return reading{}
	}
	core := words[i].core
	minus := strings.HasPrefix(core, "-") || strings.HasPrefix(core, "−")
	core = strings.TrimPrefix(strings.TrimPrefix(core, "-"), "−")
	end := len(core) - len(strings.TrimLeft(core, digits+".,"))
	figure, unit, used := core[:end], core[end:], 1
	if unit == "" && i+1 < len(words) && words[i].trail == "" && words[i+1].lead == "" {
		unit, used = words[i+1].core, 2
	}
	whole, fraction, ok := n.splitNumber(figure, false)
	if !ok {
		return reading{}
	}
	names, known := n.words.units[unit]
	if !known {
		return reading{}
	}
	name, many, plural := strings.Cut(names, "|")
	if plural && (whole != "1" || fraction != "") {
		name = many
	}
	said := n.quantity(whole, fraction) + " " + name
	if minus {
		said = n.words.minus + " " + said
	}
	return reading{said, used}
}
