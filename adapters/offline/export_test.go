package offline

// EspeakVoices are all voices the language map may choose.
func EspeakVoices() []string {
	all := append([]string(nil), espeakPlain...)
	for _, v := range espeakVoices {
		if v != "" {
			all = append(all, v)
		}
	}
	return all
}
