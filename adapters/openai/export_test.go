package openai

// ReadEvent reads events one after the other and returns the text of the last, and
// whether it was taken out without reading all of it.
func ReadEvent(events ...string) (text string, quick bool, err error) {
	var a answer
	for i, e := range events {
		if i == len(events)-1 {
			_, quick = a.plain.text([]byte(e))
		}
		if text, err = a.take([]byte(e)); err != nil {
			return "", quick, err
		}
	}
	return text, quick, nil
}
