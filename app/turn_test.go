package app_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whatsappnode/app"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

func TestTextIsAnsweredWithAVoiceNote(t *testing.T) {
	bubble(t, func(r *rig) { r.opt.ReplyMode = app.ReplyVoice }, func(r *rig) {
		r.says("m1", "ES.1", "hello")
		r.settle()
		require.Equal(t, []string{"spoken: You said: hello"}, r.answers())
		require.Equal(t, domain.UserID("ES.1"), r.phone.calls()[0].out.To.UserID)
		require.Equal(t, []domain.MessageID{"m1"}, r.phone.receipts())
		require.Equal(t, domain.TurnSent, r.turns()[0].State())
	})
}

func TestVoiceIsHeardAndAnswered(t *testing.T) {
	bubble(t, func(r *rig) { r.opt.ReplyMode = app.ReplyVoice }, func(r *rig) {
		r.speaks("m1", "ES.1", "how late are you open")
		r.settle()
		require.Equal(t, []string{"spoken: You said: how late are you open"}, r.answers())
	})
}

func TestReplyModes(t *testing.T) {
	const text, spoken = "You said: hi", "spoken: You said: hi"
	for _, c := range []struct {
		mode           app.ReplyMode
		written, heard []string
	}{
		{app.ReplyVoice, []string{spoken}, []string{spoken}},
		{app.ReplyText, []string{text}, []string{text}},
		{app.ReplyMirror, []string{text}, []string{spoken}},
		{app.ReplyBoth, []string{spoken, text}, []string{spoken, text}},
	} {
		t.Run(string(c.mode), func(t *testing.T) {
			bubble(t, func(r *rig) { r.opt.ReplyMode = c.mode }, func(r *rig) {
				r.says("m1", "ES.1", "hi")
				r.settle()
				require.Equal(t, c.written, r.answers())
			})
			bubble(t, func(r *rig) { r.opt.ReplyMode = c.mode }, func(r *rig) {
				r.speaks("m1", "ES.1", "hi")
				r.settle()
				require.Equal(t, c.heard, r.answers())
			})
		})
	}
}

func TestEverythingThatWaitsIsOneTurn(t *testing.T) {
	bubble(t, func(r *rig) { r.opt.Burst.Unfinished = time.Second }, func(r *rig) {
		r.receives(message("m1", "ES.1", domain.Text{Body: "one"}), r.note("m2", "ES.1", "two"), message("m3", "ES.1", domain.Text{Body: "three"}))
		r.pass(2 * time.Second)
		require.Equal(t, []string{"You said: one + two + three"}, r.answers())
		require.Equal(t, []domain.MessageID{"m1", "m2", "m3"}, r.turns()[0].Inputs())
	})
}

func TestClipsOfABurstAreHeardSideBySide(t *testing.T) {
	bubble(t, func(r *rig) { r.opt.Burst.Unfinished = time.Second; r.ears.delay = 10 * time.Second }, func(r *rig) {
		for i := range 4 {
			r.speaks(fmt.Sprintf("m%d", i), "ES.1", fmt.Sprintf("w%d", i))
		}
		r.pass(12 * time.Second)
		require.Equal(t, []string{"You said: w0 + w1 + w2 + w3"}, r.answers())
	})
}

func TestConversationsRunInParallelAndEachInOrder(t *testing.T) {
	bubble(t, func(r *rig) { r.brain.delay, r.opt.Burst = time.Second, app.Burst{} }, func(r *rig) {
		for i := range 5 {
			r.says(fmt.Sprintf("a%d", i), "ES.A", fmt.Sprintf("a%d", i))
			r.says(fmt.Sprintf("b%d", i), "ES.B", fmt.Sprintf("b%d", i))
			r.pass(100 * time.Millisecond)
		}
		r.pass(time.Second)
		require.Len(t, r.answers(), 2, "the first answers of both are there after one model call each")
		r.pass(time.Minute)
		last := map[byte]string{}
		for _, a := range r.answers() {
			for _, word := range strings.Split(strings.TrimPrefix(a, "You said: "), " + ") {
				require.Greater(t, word, last[word[0]])
				last[word[0]] = word
			}
		}
		require.Equal(t, map[byte]string{'a': "a4", 'b': "b4"}, last)
	})
}

func TestDuplicatesAreAnsweredOnce(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		r.says("m1", "ES.1", "hi")
		r.settle()
		receipt := r.receives(message("m1", "ES.1", domain.Text{Body: "hi"}))
		require.False(t, receipt.Messages[0].New)
		r.pass(time.Minute)
		require.Len(t, r.answers(), 1)
		require.Equal(t, 1, r.events.count(ports.StageDuplicate, ""))
	})
}

func TestTheModelIsRemindedOfWhatWasSaid(t *testing.T) {
	bubble(t, func(r *rig) { r.opt.Memory = domain.Memory{Messages: 2, Tokens: 1000}; r.opt.SystemPrompt = "Be kind." }, func(r *rig) {
		for i := range 3 {
			r.says(fmt.Sprintf("m%d", i), "ES.1", fmt.Sprintf("q%d", i))
			r.settle()
		}
		req := r.brain.requests()[2]
		require.Regexp(t, `^Be kind\.\n`, req.System)
		require.Equal(t, []ports.LLMMessage{
			{Role: domain.RoleUser, Text: "q1"}, {Role: domain.RoleAssistant, Text: "You said: q1"}, {Role: domain.RoleUser, Text: "q2"},
		}, req.Messages)
		require.NotContains(t, req.User, "ES.1", "the vendor learns an opaque key only")
	})
}

func TestMessagesTheBotCannotUseGetAPoliteSentence(t *testing.T) {
	media := domain.MediaRef{ID: "x", Number: number}
	for name, c := range map[string]struct {
		content domain.Content
		want    string
	}{
		"picture":       {domain.Image{Media: media}, "picture"},
		"video":         {domain.Video{Media: media}, "video"},
		"document":      {domain.Document{Media: media}, "file"},
		"sticker":       {domain.Sticker{Media: media}, "sticker"},
		"unknown":       {domain.Unsupported{Type: "poll_creation", Code: 131051}, "can't read"},
		"too large":     {domain.Unsupported{Type: "audio", Code: 131052}, "voice message"},
		"blank":         {domain.Text{Body: " "}, "empty"},
		"expired voice": {domain.Voice{Media: media}, "say it again"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(r *rig) { r.opt.ReplyMode = app.ReplyVoice }, func(r *rig) {
				r.receives(message("m1", "ES.1", c.content))
				r.settle()
				require.Len(t, r.answers(), 1)
				require.Contains(t, r.answers()[0], c.want)
				require.NotContains(t, r.answers()[0], "spoken", "it is written, since it asks to repeat")
				require.Empty(t, r.brain.requests())
			})
		})
	}
}

func TestMessagesTheModelCanUseAreWords(t *testing.T) {
	for name, c := range map[string]struct {
		content domain.Content
		want    string
	}{
		"button":   {domain.ButtonReply{ID: "b1", Title: "Yes please"}, "Yes please"},
		"list":     {domain.ListReply{Title: "Large", Description: "30 cm"}, "Large 30 cm"},
		"flow":     {domain.FlowReply{Body: "Sent", Response: `{"day":"Monday"}`}, `Sent {"day":"Monday"}`},
		"location": {domain.Location{Latitude: 40.4, Longitude: -3.7, Name: "Sol"}, "My location: Sol (40.40000, -3.70000)"},
		"contact":  {domain.Contacts{Names: []string{"Bo Li"}}, "I am sharing the contact of Bo Li"},
		"caption":  {domain.Image{Caption: "is this in stock?"}, "is this in stock?"},
		"order":    {domain.Order{Items: []domain.OrderItem{{ProductID: "p1", Quantity: 2, Price: 9.5, Currency: "EUR"}}}, "2 x p1 at 9.5 EUR"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, nil, func(r *rig) {
				r.receives(message("m1", "ES.1", c.content))
				r.settle()
				require.Len(t, r.brain.requests(), 1)
				require.Contains(t, r.brain.requests()[0].Messages[0].Text, c.want)
			})
		})
	}
}

func TestEventsThatAskForNothingStartNoTurn(t *testing.T) {
	for _, c := range []domain.Content{
		domain.Reaction{Target: "x", Emoji: "👍"},
		domain.System{Event: "user_changed_number", NewPhone: "34600999888"},
		domain.RequestWelcome{},
		domain.Edit{Target: "x"},
		domain.Revoke{Target: "x"},
	} {
		t.Run(string(c.Kind()), func(t *testing.T) {
			bubble(t, nil, func(r *rig) {
				r.receives(message("m1", "ES.1", c))
				r.settle()
				require.Empty(t, r.phone.calls())
				require.Empty(t, r.brain.requests())
				require.Empty(t, r.phone.receipts())
				require.Equal(t, domain.TurnDropped, r.turns()[0].State(), "it still reaches a terminal state")
			})
		})
	}
	t.Run("group", func(t *testing.T) {
		bubble(t, nil, func(r *rig) {
			m := message("m1", "ES.1", domain.Text{Body: "hi all"})
			m.Group = "g1"
			r.receives(m)
			r.settle()
			require.Empty(t, r.phone.calls())
		})
	})
}

func TestVendorOutages(t *testing.T) {
	down := &ports.Error{Op: "vendor", Kind: ports.KindTransient, Err: errors.New("down")}
	t.Run("the model", func(t *testing.T) {
		bubble(t, func(r *rig) { r.brain.fail = func(int) error { return down } }, func(r *rig) {
			r.says("m1", "ES.1", "hi")
			r.pass(time.Hour)
			require.Equal(t, []string{app.DefaultFallback}, r.answers(), "once a turn")
			require.True(t, r.turns()[0].Apology())
		})
	})
	t.Run("the model, and it is not remembered", func(t *testing.T) {
		bubble(t, func(r *rig) {
			r.brain.fail = func(n int) error {
				if n == 0 {
					return down
				}
				return nil
			}
		}, func(r *rig) {
			r.says("m1", "ES.1", "one")
			r.settle()
			r.says("m2", "ES.1", "two")
			r.settle()
			require.Equal(t, []string{app.DefaultFallback, "You said: two"}, r.answers())
			require.Len(t, r.brain.requests()[1].Messages, 1)
		})
	})
	t.Run("a model whose stream is cut", func(t *testing.T) {
		bubble(t, func(r *rig) { r.brain.cut = 2 }, func(r *rig) {
			r.says("m1", "ES.1", "hi")
			r.settle()
			require.Equal(t, []string{app.DefaultFallback}, r.answers(), "half an answer is none")
		})
	})
	t.Run("the ears", func(t *testing.T) {
		bubble(t, func(r *rig) { r.ears.fail = down }, func(r *rig) {
			r.speaks("m1", "ES.1", "hi")
			r.pass(time.Hour)
			require.Equal(t, []string{app.DefaultFallback}, r.answers())
		})
	})
	t.Run("the voice", func(t *testing.T) {
		bubble(t, func(r *rig) { r.opt.ReplyMode = app.ReplyVoice; r.voice.fail = down }, func(r *rig) {
			r.says("m1", "ES.1", "hi")
			r.settle()
			require.Equal(t, []string{"You said: hi"}, r.answers())
			require.Equal(t, 1, r.events.count(ports.StageFallback, "speech"))
		})
	})
	t.Run("the upload", func(t *testing.T) {
		bubble(t, func(r *rig) { r.opt.ReplyMode = app.ReplyVoice; r.phone.upload = func() error { return down } }, func(r *rig) {
			r.says("m1", "ES.1", "hi")
			r.settle()
			require.Equal(t, []string{"You said: hi"}, r.answers())
		})
	})
	t.Run("a clip nobody can read", func(t *testing.T) {
		bubble(t, func(r *rig) { r.ears.fail = &ports.Error{Op: "ears", Kind: ports.KindUnsupported} }, func(r *rig) {
			r.speaks("m1", "ES.1", "hi")
			r.settle()
			require.Len(t, r.answers(), 1)
			require.Contains(t, r.answers()[0], "say it again")
		})
	})
	t.Run("a model that never answers", func(t *testing.T) {
		bubble(t, func(r *rig) { r.brain.delay = 10 * time.Hour }, func(r *rig) {
			r.says("m1", "ES.1", "hi")
			r.pass(59 * time.Second)
			require.Empty(t, r.answers())
			require.Len(t, r.phone.receipts(), 3, "the typing indicator is kept alive meanwhile")
			r.pass(2 * time.Second)
			require.Equal(t, []string{app.DefaultFallback}, r.answers())
		})
	})
	t.Run("a receipt that hangs", func(t *testing.T) {
		var hung time.Duration
		hang := func(ctx context.Context) {
			began := time.Now()
			<-ctx.Done()
			hung = time.Since(began)
		}
		bubble(t, func(r *rig) { r.phone.receipt = hang }, func(r *rig) {
			r.says("m1", "ES.1", "hi")
			r.pass(time.Second)
			require.Equal(t, []string{"You said: hi"}, r.answers())
			require.Equal(t, 300*time.Millisecond, hung, "the answer waits for it so long, and then it is ended")
		})
	})
	t.Run("no ears at all", func(t *testing.T) {
		bubble(t, func(r *rig) { r.opt.STT = nil }, func(r *rig) {
			r.speaks("m1", "ES.1", "hi")
			r.settle()
			require.Contains(t, r.answers()[0], "can't listen")
		})
	})
	t.Run("no voice at all", func(t *testing.T) {
		bubble(t, func(r *rig) { r.opt.ReplyMode = app.ReplyVoice; r.opt.TTS = nil }, func(r *rig) {
			r.says("m1", "ES.1", "hi")
			r.settle()
			require.Equal(t, []string{"You said: hi"}, r.answers())
		})
	})
}

func TestWhatCannotBeSpokenIsWritten(t *testing.T) {
	t.Run("an answer that is too long to listen to", func(t *testing.T) {
		bubble(t, func(r *rig) { r.opt.ReplyMode = app.ReplyVoice; r.opt.MaxSpokenChars = 20 }, func(r *rig) {
			r.says("m1", "ES.1", strings.Repeat("long ", 1000))
			r.settle()
			require.Len(t, r.answers(), 2, "split at 4,096 characters")
			require.Equal(t, 0, r.voice.spoke)
		})
	})
	t.Run("a clip that would lose its play button", func(t *testing.T) {
		bubble(t, func(r *rig) { r.opt.ReplyMode = app.ReplyVoice; r.voice.size = 600 << 10 }, func(r *rig) {
			r.says("m1", "ES.1", "hi")
			r.settle()
			require.Equal(t, []string{"You said: hi"}, r.answers())
		})
	})
	t.Run("a clip that is broken", func(t *testing.T) {
		bubble(t, func(r *rig) {
			r.opt.ReplyMode = app.ReplyVoice
			r.opt.Notes = notes{check: func(domain.Audio, int) error { return errors.New("bad CRC") }}
		}, func(r *rig) {
			r.says("m1", "ES.1", "hi")
			r.settle()
			require.Equal(t, []string{"You said: hi"}, r.answers())
		})
	})
}

func TestAnswerThatBreaksOffIsAskedForOnceMore(t *testing.T) {
	bubble(t, func(r *rig) { r.brain.cut = 1 }, func(r *rig) {
		r.says("m1", "ES.1", "hi")
		r.settle()
		require.Equal(t, []string{"You said: hi"}, r.answers())
		require.Len(t, r.brain.requests(), 2)
	})
}
