package openai

// ReadEvent reads events one after the other and returns the text of the last, and
// whether it was taken out without reading all of it.
func ReadEvent(events ...string) (text string, quick bool, err error) {
	var a answer
	for i, e := range events {
		if i == len(events)-1 {
			_, quick = a.plain.text(nil, []byte(e))
		}
		out, err := a.take([]byte("before"), []byte(e))
		if text = string(out[len("before"):]); err != nil {
			return "", quick, err
		}
	}
	return text, quick, nil
}
