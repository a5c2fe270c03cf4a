package app

import "strings"

// notice names a sentence the bot says on its own, without the model, when it
// cannot use what the user sent.
type notice string

// The notices.
const (
	noticeNotHeard    notice = "not_heard"   // a voice message without intelligible words
	noticeStranger    notice = "stranger"    // a voice message in a language that is not on the list
	noticeNoEars      notice = "no_ears"     // no speech recognition is set up
	noticeEmpty       notice = "empty"       // a message without words
	noticeImage       notice = "image"       // a picture without a caption
	noticeVideo       notice = "video"       // a video without a caption
	noticeDocument    notice = "document"    // a file without a caption
	noticeSticker     notice = "sticker"     // a sticker
	noticeUnsupported notice = "unsupported" // a kind of message WhatsApp does not pass on
	noticeTooLong     notice = "too_long"    // a voice message over the limit
	noticeTooMany     notice = "too_many"    // more messages than a person may send
	noticeWithheld    notice = "withheld"    // an answer of the model that must not be given
	noticeBudget      notice = "budget"      // nothing more may be spent today
	noticeOptedOut    notice = "opted_out"   // the person asked not to be answered any more
	noticeOptedIn     notice = "opted_in"    // and to be answered again
	noticeHandoff     notice = "handoff"     // the person asked for a human
)

// listOfLanguages stands in noticeStranger for the languages the bot speaks.
const listOfLanguages = "{languages}"

// sentences holds every notice in every language the bot has words in. English is
// complete and stands in for any other language.
var sentences = map[string]map[notice]string{
	"en": {
		noticeNotHeard:    "Sorry, I couldn't make out your voice message. Could you say it again, or write it?",
		noticeStranger:    "Sorry, I don't understand that language. I can help you in {languages}. Could you say it again, or write it?",
		noticeNoEars:      "Sorry, I can't listen to voice messages here. Could you write it to me?",
		noticeEmpty:       "I received an empty message. What would you like to tell me?",
		noticeImage:       "Thanks for the picture. I can't look at pictures yet. Could you tell me in words what you need?",
		noticeVideo:       "Thanks for the video. I can't watch videos. Could you tell me in words what you need?",
		noticeDocument:    "Thanks for the file. I can't open files yet. Could you tell me in words what you need?",
		noticeSticker:     "Nice sticker! Tell me in words, or by voice, if there is something I can do for you.",
		noticeUnsupported: "Sorry, I can't read this kind of message. Could you send it as text or as a voice message?",
		noticeTooLong:     "Sorry, that voice message is too long for me. Could you send a shorter one, or write it?",
		noticeTooMany:     "You are writing faster than I can answer. Please give me a few minutes, and then write again.",
		noticeWithheld:    "Sorry, I can't answer that. Is there something else I can help you with?",
		noticeBudget:      "Sorry, I can't answer any more today. Please write to us again tomorrow.",
		noticeOptedOut:    "You will get no more answers from me here. If you change your mind, write START.",
		noticeOptedIn:     "Welcome back! I am here again. What can I do for you?",
		noticeHandoff:     "I am passing you on to a person, who will answer you here. Until then I say nothing, and what you write is kept.",
	},
	"es": {
		noticeNotHeard:    "Perdona, no he entendido tu mensaje de voz. ¿Puedes repetirlo o escribirlo?",
		noticeStranger:    "Perdona, no entiendo ese idioma. Puedo ayudarte en {languages}. ¿Puedes repetirlo o escribirlo?",
		noticeNoEars:      "Perdona, aquí no puedo escuchar mensajes de voz. ¿Puedes escribírmelo?",
		noticeEmpty:       "He recibido un mensaje vacío. ¿Qué querías decirme?",
		noticeImage:       "Gracias por la imagen. Todavía no puedo ver imágenes. ¿Puedes decirme con palabras qué necesitas?",
		noticeVideo:       "Gracias por el vídeo. No puedo ver vídeos. ¿Puedes decirme con palabras qué necesitas?",
		noticeDocument:    "Gracias por el archivo. Todavía no puedo abrir archivos. ¿Puedes decirme con palabras qué necesitas?",
		noticeSticker:     "¡Bonito sticker! Dime con palabras o por voz si puedo hacer algo por ti.",
		noticeUnsupported: "Perdona, no puedo leer este tipo de mensaje. ¿Puedes enviarlo como texto o como mensaje de voz?",
		noticeTooLong:     "Perdona, ese mensaje de voz es demasiado largo para mí. ¿Puedes enviar uno más corto o escribirlo?",
		noticeTooMany:     "Escribes más rápido de lo que puedo responder. Espera unos minutos, por favor, y vuelve a escribirme.",
		noticeWithheld:    "Perdona, no puedo responder a eso. ¿Puedo ayudarte con otra cosa?",
		noticeBudget:      "Perdona, hoy ya no puedo responder más. Escríbenos de nuevo mañana, por favor.",
		noticeOptedOut:    "No recibirás más respuestas mías aquí. Si cambias de idea, escribe ALTA.",
		noticeOptedIn:     "¡Bienvenido de nuevo! Vuelvo a estar aquí. ¿En qué puedo ayudarte?",
		noticeHandoff:     "Te paso con una persona, que te responderá aquí. Hasta entonces no diré nada, y lo que escribas queda guardado.",
	},
	"pt": {
		noticeNotHeard:    "Desculpe, não entendi a sua mensagem de voz. Pode repetir ou escrever?",
		noticeStranger:    "Desculpe, não entendo esse idioma. Posso ajudar em {languages}. Pode repetir ou escrever?",
		noticeNoEars:      "Desculpe, aqui não consigo ouvir mensagens de voz. Pode escrever?",
		noticeEmpty:       "Recebi uma mensagem vazia. O que gostaria de me dizer?",
		noticeImage:       "Obrigado pela imagem. Ainda não consigo ver imagens. Pode dizer em palavras do que precisa?",
		noticeVideo:       "Obrigado pelo vídeo. Não consigo ver vídeos. Pode dizer em palavras do que precisa?",
		noticeDocument:    "Obrigado pelo arquivo. Ainda não consigo abrir arquivos. Pode dizer em palavras do que precisa?",
		noticeSticker:     "Bela figurinha! Diga em palavras ou por voz se posso ajudar em algo.",
		noticeUnsupported: "Desculpe, não consigo ler este tipo de mensagem. Pode enviar como texto ou mensagem de voz?",
		noticeTooLong:     "Desculpe, essa mensagem de voz é longa demais para mim. Pode enviar uma mais curta ou escrever?",
		noticeTooMany:     "Está escrevendo mais rápido do que consigo responder. Espere alguns minutos, por favor, e escreva de novo.",
		noticeWithheld:    "Desculpe, não posso responder a isso. Posso ajudar com outra coisa?",
		noticeBudget:      "Desculpe, hoje já não consigo responder mais. Escreva-nos de novo amanhã, por favor.",
		noticeOptedOut:    "Não receberá mais respostas minhas aqui. Se mudar de ideia, escreva INICIAR.",
		noticeOptedIn:     "Que bom ter você de volta! Em que posso ajudar?",
		noticeHandoff:     "Vou passar você para uma pessoa, que responderá aqui. Até lá não direi nada, e o que escrever fica guardado.",
	},
	"fr": {
		noticeNotHeard:    "Désolé, je n'ai pas compris votre message vocal. Pouvez-vous le répéter ou l'écrire ?",
		noticeStranger:    "Désolé, je ne comprends pas cette langue. Je peux vous aider en {languages}. Pouvez-vous le redire ou l'écrire ?",
		noticeNoEars:      "Désolé, je ne peux pas écouter de messages vocaux ici. Pouvez-vous me l'écrire ?",
		noticeEmpty:       "J'ai reçu un message vide. Que vouliez-vous me dire ?",
		noticeImage:       "Merci pour l'image. Je ne peux pas encore voir les images. Pouvez-vous me dire avec des mots ce qu'il vous faut ?",
		noticeVideo:       "Merci pour la vidéo. Je ne peux pas regarder de vidéos. Pouvez-vous me dire avec des mots ce qu'il vous faut ?",
		noticeDocument:    "Merci pour le fichier. Je ne peux pas encore ouvrir de fichiers. Pouvez-vous me dire avec des mots ce qu'il vous faut ?",
		noticeSticker:     "Joli autocollant ! Dites-moi par écrit ou par message vocal si je peux vous aider.",
		noticeUnsupported: "Désolé, je ne peux pas lire ce type de message. Pouvez-vous l'envoyer en texte ou en message vocal ?",
		noticeTooLong:     "Désolé, ce message vocal est trop long pour moi. Pouvez-vous en envoyer un plus court ou l'écrire ?",
		noticeTooMany:     "Vous écrivez plus vite que je ne peux répondre. Attendez quelques minutes, s'il vous plaît, puis écrivez-moi de nouveau.",
		noticeWithheld:    "Désolé, je ne peux pas répondre à cela. Puis-je vous aider pour autre chose ?",
		noticeBudget:      "Désolé, je ne peux plus répondre aujourd'hui. Merci de nous réécrire demain.",
		noticeOptedOut:    "Vous ne recevrez plus de réponses de ma part ici. Si vous changez d'avis, écrivez REPRENDRE.",
		noticeOptedIn:     "Ravi de vous retrouver ! Que puis-je faire pour vous ?",
		noticeHandoff:     "Je vous passe une personne, qui vous répondra ici. D'ici là je ne dirai rien, et ce que vous écrivez est conservé.",
	},
	"de": {
		noticeNotHeard:    "Entschuldigung, ich habe die Sprachnachricht nicht verstanden. Könnten Sie sie wiederholen oder schreiben?",
		noticeStranger:    "Entschuldigung, diese Sprache verstehe ich nicht. Ich kann Ihnen auf {languages} helfen. Könnten Sie es noch einmal sagen oder schreiben?",
		noticeNoEars:      "Entschuldigung, ich kann hier keine Sprachnachrichten anhören. Könnten Sie es mir schreiben?",
		noticeEmpty:       "Ich habe eine leere Nachricht erhalten. Was möchten Sie mir sagen?",
		noticeImage:       "Danke für das Bild. Ich kann Bilder noch nicht ansehen. Könnten Sie mir in Worten sagen, was Sie brauchen?",
		noticeVideo:       "Danke für das Video. Ich kann keine Videos ansehen. Könnten Sie mir in Worten sagen, was Sie brauchen?",
		noticeDocument:    "Danke für die Datei. Ich kann Dateien noch nicht öffnen. Könnten Sie mir in Worten sagen, was Sie brauchen?",
		noticeSticker:     "Schöner Sticker! Sagen Sie mir in Worten oder als Sprachnachricht, wenn ich etwas für Sie tun kann.",
		noticeUnsupported: "Entschuldigung, diese Art von Nachricht kann ich nicht lesen. Könnten Sie sie als Text oder Sprachnachricht senden?",
		noticeTooLong:     "Entschuldigung, diese Sprachnachricht ist zu lang für mich. Könnten Sie eine kürzere senden oder es schreiben?",
		noticeTooMany:     "Sie schreiben schneller, als ich antworten kann. Bitte warten Sie ein paar Minuten und schreiben Sie dann noch einmal.",
		noticeWithheld:    "Entschuldigung, darauf kann ich nicht antworten. Kann ich Ihnen bei etwas anderem helfen?",
		noticeBudget:      "Entschuldigung, heute kann ich nicht mehr antworten. Bitte schreiben Sie uns morgen noch einmal.",
		noticeOptedOut:    "Sie erhalten hier keine Antworten mehr von mir. Wenn Sie es sich anders überlegen, schreiben Sie STARTEN.",
		noticeOptedIn:     "Willkommen zurück! Was kann ich für Sie tun?",
		noticeHandoff:     "Ich gebe Sie an einen Menschen weiter, der Ihnen hier antwortet. Bis dahin sage ich nichts, und was Sie schreiben, bleibt erhalten.",
	},
	"it": {
		noticeNotHeard:    "Scusa, non ho capito il tuo messaggio vocale. Puoi ripeterlo o scriverlo?",
		noticeStranger:    "Scusa, non capisco questa lingua. Posso aiutarti in {languages}. Puoi ripeterlo o scriverlo?",
		noticeNoEars:      "Scusa, qui non posso ascoltare messaggi vocali. Puoi scrivermelo?",
		noticeEmpty:       "Ho ricevuto un messaggio vuoto. Che cosa volevi dirmi?",
		noticeImage:       "Grazie per l'immagine. Non posso ancora vedere le immagini. Puoi dirmi a parole di cosa hai bisogno?",
		noticeVideo:       "Grazie per il video. Non posso guardare i video. Puoi dirmi a parole di cosa hai bisogno?",
		noticeDocument:    "Grazie per il file. Non posso ancora aprire i file. Puoi dirmi a parole di cosa hai bisogno?",
		noticeSticker:     "Bello sticker! Dimmi a parole o a voce se posso fare qualcosa per te.",
		noticeUnsupported: "Scusa, non posso leggere questo tipo di messaggio. Puoi inviarlo come testo o come messaggio vocale?",
		noticeTooLong:     "Scusa, questo messaggio vocale è troppo lungo per me. Puoi inviarne uno più corto o scriverlo?",
		noticeTooMany:     "Scrivi più in fretta di quanto io riesca a rispondere. Aspetta qualche minuto, per favore, e poi scrivimi di nuovo.",
		noticeWithheld:    "Scusa, non posso rispondere a questo. Posso aiutarti con qualcos'altro?",
		noticeBudget:      "Scusa, per oggi non posso più rispondere. Riscrivici domani, per favore.",
		noticeOptedOut:    "Non riceverai più mie risposte qui. Se cambi idea, scrivi RIPRENDI.",
		noticeOptedIn:     "Bentornato! Che cosa posso fare per te?",
		noticeHandoff:     "Ti passo a una persona, che ti risponderà qui. Fino ad allora non dirò nulla, e quello che scrivi resta salvato.",
	},
}

// sentence gives the words of a notice in the language of a BCP 47 tag, in English
// where the bot has none.
func sentence(n notice, language string) string {
	if s, ok := sentences[base(language)][n]; ok {
		return s
	}
	if s, ok := sentences["en"][n]; ok {
		return s
	}
	return sentences["en"][noticeUnsupported]
}

// speaks reports whether the bot has words of its own in a language.
func speaks(language string) bool {
	_, ok := sentences[base(language)]
	return ok
}

// base is the language of a tag without script and region.
func base(tag string) string {
	b, _, _ := strings.Cut(strings.ToLower(tag), "-")
	return b
}
