package ports

// FilterPort changes words on their way to a model or to a person: it masks what one
// must not be told, or the other not hear.
//
// Filter returns the text to go on with, and the name of each thing it changed, once
// for each place, as "email" or "profanity". A name is a lower-case word, fit for a log:
// never a part of the text. With nothing found the text is returned as it was, byte for
// byte. What was filtered and is filtered again stays as it is, with nothing found. The
// answer depends on the arguments alone; it is valid UTF-8 when the text was. Language
// is the BCP 47 tag of the text, or empty when it is not known: a filter then looks for
// what it knows in any language.
//
// Filter does no I/O, cannot fail, takes a time linear in the text, and may be called
// concurrently: it stands between a model's sentence and the voice.
type FilterPort interface {
	Filter(text, language string) (filtered string, found []string)
}
