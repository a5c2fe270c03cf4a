// Package googlespeech hears with Google Cloud Speech-to-Text, through
// cloud.google.com/go/speech.
//
// Two versions of the API are spoken. Version 2, the default, names a recognizer
// (projects/P/locations/L/recognizers/R; R is "_" for none), finds out the encoding
// by itself, and with the model chirp_3 the language too. Its models live in
// regions, each with an address of its own (eu-speech.googleapis.com). Version 1
// needs neither project nor region, but a language and the sample rate of the clip.
//
// How long a clip lasts is counted from its Opus packets before anything is sent:
// what lasts up to 55 s goes in one request, what lasts up to 290 s through a
// stream, and anything longer is refused (Google, "Quotas and limits": 60 s or 10 MB
// at once, streams of 5 minutes in messages of 25 KB).
//
// The library's own retries are switched off: its default repeats a call to a dead
// service until the context ends and then hides the cause. So is its logger, which
// an environment variable (GOOGLE_SDK_GO_LOGGING_LEVEL) would make print requests and
// transcripts. What the library does read from the environment are Google's
// application default credentials: GOOGLE_APPLICATION_CREDENTIALS, the file of
// `gcloud auth application-default login`, or the metadata server of Google Cloud.
package googlespeech
