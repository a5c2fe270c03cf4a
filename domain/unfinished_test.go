package domain_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"whatsappnode/domain"
)

// goesOn are messages whose writers go on, done are those that can be answered. A row
// that one may see otherwise says so.
var goesOn, done = []string{
	// greetings
	"hi", "Hello", "Hey there", "good morning", "Hi good morning everyone", "Dear Sir", "Dear Sir or Madam,", "Hi Anna", "excuse me",
	"hola", "Buenos días", "hola buenas tardes", "Estimado señor Pérez", "oi", "Bom dia", "oi, tudo bem", "Hallo", "Guten Tag", "Sehr geehrte Damen und Herren", "Bonjour", "bonjour madame", "salut", "Buongiorno", "salve",
	"ciao", // also a farewell
	"привет", "你好", "مرحبا",
	"hi how are you", // or it is answered in kind; without a mark it mostly leads to the question

	// announcements
	"I have a question", "i have a question about my order", "Hi, I have a quick question for you please", "quick question", "Can I ask you something", "I need help", "ok I have a question", "I would like to know",
	"Tengo una pregunta", "hola, tengo una duda", "Quisiera saber", "necesito ayuda", "Tenho uma dúvida", "bom dia, posso fazer uma pergunta", "Ich habe eine Frage", "hallo ich hätte mal eine Frage", "Kurze Frage", "J'ai une question", "j’ai besoin d’aide", "Bonjour, je voudrais savoir", "Ho una domanda", "vorrei chiedere una cosa",
	"I have a problem with my order", // might be all; more mostly follows
	"about my order", "regarding the order from last week", "sobre mi pedido de ayer", "wegen meiner letzten Bestellung vom Montag", "concernant ma commande de hier", "about order 12345",

	// the last word asks for another
	"I ordered two pizzas and", "I would like to come but", "it did not work because", "I want to pay with", "can I pay with my", "where can I find the", "I live in", "I was there until", "well you know I'm", "5 and",
	"quiero una pizza con", "no funciona porque", "quería decirle que", "el pedido de mi", "no puedo ir pero", "quero uma pizza com", "não funciona porque", "eu queria falar sobre o meu", "ich möchte eine Pizza mit", "es geht nicht weil", "ich wollte sagen dass", "das ist für meine", "ja und",
	"je voudrais une pizza avec", "ça ne marche pas parce que", "c'est pour mon", "j'ai acheté le livre de l'", "vorrei una pizza con", "non funziona perché", "volevo dire che", "il mio ordine della",
	"I bought it last week in your shop in the centre and now I would like to return it because",
	"this is the one I was talking about", // complete in English; no table knows it

	// short fragments
	"my order", "pizza", "the blue one", "I think", "mi pedido", "meine Bestellung", "ma commande", "il mio ordine", "заказ номер", "我的订单",
	"when", "where are you", "how much", // short questions, answerable; three words without a mark rarely end a message

	// marks
	"I would like to order,", "I need:", "two things -", "well...", "so…", "hmm", "wait ..", "первое,", "我想问，", "لدي سؤال،", "that is (", "he said \"", "he said “", "sie sagte „", "¿", "uno; dos;", "first —", "はい、", "嗯。。。", "嗯……",
	"...",
}, []string{
	"", "  \n",
	// marks
	"I ordered a pizza.", "When will it come?", "Hi!", "hola.", "Really?!", "I have a question.", // the mark is the writer's own word
	"几点开门？", "今天不行。", "متى يصل الطلب؟", "ठीक है।", "Привет.", "Հա։", "ይሄ ነው።", "Πότε θα έρθει;", "(see below.)", "\"It is here.\"", "„So ist es.“", "« C'est bien. »", "no...?", "stop!!!", "?",
	"Great 😊", "👍", "hola 👋", "ok ❤️", "🇩🇪", "🎉)", "thanks :)", "well :-(", "<3",

	// answers
	"yes", "Yes please", "NO", "ok", "ok thanks bye", "Thanks a lot", "bye", "good night", "not yet", "sí", "si", "no gracias", "Muchas gracias", "vale", "sim", "não", "Obrigado", "tchau", "ja", "Nein danke", "vielen Dank", "tschüss", "oui", "D'accord", "d’accord", "merci beaucoup", "Sì", "grazie mille", "va bene", "hi thanks", "jajaja",
	"5", "12,50 €", "€ 20", "22.11.2026", "17:30", "5 pm", "at 5", "next monday", "about 20 people", "tomorrow", "mañana", "el lunes", "am Dienstag", "two", "Hauptstraße 12", "Calle Mayor 5", "+49 30 1234567", "AB-12345", "٥", "ana@example.com", "https://example.com/a?b=", "see www.example.com", "example.com", "(ana@example.com)",

	// questions and statements without a mark
	"when will it come", "What should I do", "can you send it to me", "where are you from", "who should I talk to", "do you deliver on sundays", "hi when do you open today",
	"cuándo llega mi pedido", "a qué hora abren hoy", "quiero saber cuándo llega mi pedido", "quando chega o meu pedido", "vocês abrem no domingo", "wann kommt meine Bestellung an", "habt ihr heute auch offen", "wo bist du denn", "quand arrive ma commande", "vous êtes situés où exactement", "quando arriva il mio ordine", "siete aperti anche la domenica",
	"my order has not arrived", "I want to buy a car", "it is a gift for my son", "please tell me when you open", "I can't log in", "no puedo entrar en mi cuenta", "ich rufe dich später an", "es ist ein Geschenk für sie", "я хочу заказать пиццу на завтра", "请问你们今天几点关门", "สวัสดีครับวันนี้ร้านเปิดกี่โมงครับ", "I do not know", "yes I would like the blue one", "creo que si", "I don't want to",
	"so I went to the shop yesterday and asked for the blue one they showed me last week",
	"I want to go with you", // the table of English knows "with" only in front of its noun
}

func TestSoundsUnfinished(t *testing.T) {
	require.Greater(t, len(goesOn), 60)
	require.Greater(t, len(done), 60)
	for _, text := range goesOn {
		if !domain.SoundsUnfinished(text) {
			t.Errorf("%q goes on", text)
		}
	}
	for _, text := range done {
		if domain.SoundsUnfinished(text) {
			t.Errorf("%q is done", text)
		}
	}
}

func FuzzSoundsUnfinished(f *testing.F) {
	for _, list := range [][]string{goesOn, done} {
		for _, text := range list {
			f.Add(text)
		}
	}
	for _, text := range []string{"a » » »", "l' d’ '", "\xff\xfe", "hi hi hi hi", "((((", ". . .", "€ & + -", "a@b.c,", "https://x.y,", ";;;;α;", "ok ok ok and"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		goes := domain.SoundsUnfinished(text)
		require.Equal(t, goes, domain.SoundsUnfinished(" \n"+text+"\t"), "white space around it decides nothing")
		require.False(t, domain.SoundsUnfinished(text+" ok?"))
		require.True(t, domain.SoundsUnfinished(text+" well,"))
		require.True(t, domain.SoundsUnfinished(text+" ..."))
		if utf8.ValidString(text) {
			require.False(t, domain.SoundsUnfinished(text+" 👍"))
		}
	})
}

// BenchmarkSoundsUnfinished reads a usual message and the longest ones; their cost a byte
// must not be much greater.
func BenchmarkSoundsUnfinished(b *testing.B) {
	for name, text := range map[string]string{
		"usual": "quiero saber cuándo llega mi pedido", "greetings": strings.Repeat("hi ", 1365), "answers": strings.Repeat("ok ", 1365), "words": strings.Repeat("the car ", 512),
		"quotes": "\"" + strings.Repeat(" »", 1365), "marks": strings.Repeat(".)", 2048), "one word": strings.Repeat("x", 4096), "greek": strings.Repeat(";", 4000) + "α;",
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				domain.SoundsUnfinished(text)
			}
		})
	}
}
