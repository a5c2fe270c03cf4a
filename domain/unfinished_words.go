package domain

import "strings"

// chatWords are the words of one language by which a message shows whether its writer
// goes on. All are in lower case, apart by white space; phrases are apart by commas.
type chatWords struct {
	// greetings open a conversation and say nothing yet.
	greetings string
	// openers announce what comes in the next message.
	openers string
	// leads need what comes next, wherever they end a message.
	leads string
	// topics name what it will be about, when a short message begins with one.
	topics string
	// answers are complete as they stand.
	answers string
	// asks begin a question: question words, and verbs in front of their subject.
	asks string
	// joins never end a sentence: conjunctions, prepositions, articles, possessives.
	joins string
	// loose are joins that may end a question, as in "where are you from".
	loose string
	// ends are words with which a join does end a sentence, as in "I can't log in".
	ends string
	// common words tell the language, together with the others.
	common string
}

// chat has the languages that have words. A word that is missing costs a wait too few or
// too many, nothing else.
var chat = [...]chatWords{
	{ // English
		greetings: "hi, hello, hey, hiya, heya, yo, hi there, hello there, hey there, good morning, good afternoon, good evening, good day, morning, evening, " +
			"greetings, dear, dear sir, dear madam, sir, madam, dear sir or madam, to whom it may concern, excuse me, sorry, sorry to bother you",
		openers: "i have a question, i've a question, i have got a question, i've got a question, i have some questions, i have a few questions, i have another question, " +
			"i had a question, i have a quick question, quick question, a quick question, just a quick question, one question, one more question, another question, question, " +
			"can i ask something, can i ask you something, may i ask something, could i ask you something, can i ask a question, can i ask you a question, may i ask a question, " +
			"i want to ask something, i wanted to ask something, i want to ask you something, i'd like to ask something, i would like to ask something, " +
			"i have a problem, i've got a problem, i have an issue, i need help, i need some help, i need your help, please help, can you help me, could you help me, " +
			"here is the thing, here's the thing, one more thing",
		leads:  "i was wondering, i would like to know, i'd like to know, i want to know, i wanted to know, let me explain, i would like, i'd like, i'm looking for",
		topics: "about, regarding, concerning, as for, with regard to, in regard to",
		answers: "yes, yeah, yep, yup, no, nope, nah, ok, okay, okey, k, kk, sure, fine, alright, all right, right, exactly, correct, of course, absolutely, definitely, maybe, perhaps, probably, " +
			"thanks, thank you, thank you very much, thank you so much, thanks a lot, many thanks, thx, ty, cheers, please, yes please, no thanks, no thank you, you're welcome, no problem, no worries, " +
			"bye, bye bye, goodbye, good bye, see you, see you later, see you soon, see you tomorrow, see ya, good night, take care, have a nice day, later, " +
			"great, good, perfect, nice, cool, awesome, excellent, wonderful, done, got it, i see, understood, agreed, deal, nothing, none, never, never mind, nevermind, not yet, not really, not now, " +
			"that's all, that's it, i don't know, idk, i do, i am, it is, both, neither, stop, cancel, help, lol, haha, wow, yes i do, no i don't, " +
			"today, tonight, tomorrow, now, asap, monday, tuesday, wednesday, thursday, friday, saturday, sunday, next week, two, three, four, five, six, seven, eight, nine, ten, noon, midnight",
		asks: "who what when where why which whose how is are am was were do does did can could will would should shall may might has have had isn't aren't don't doesn't didn't can't couldn't won't wouldn't what's where's who's how's when's",
		joins: "and or but because cause cuz if unless although whether than the a an my your our their its his to of from for with without at by into onto until till between against via per regarding " +
			"i i'm i'll i've i'd it's that's there's we're you're they're he's she's & plus however about in on since during toward towards among",
		loose:  "to of from for with at by about in on into than against i",
		ends:   "log in, logged in, logging in, sign in, signed in, check in, checked in, come in, came in, coming in, get in, let in, go on, going on, come on, turn on, turned on, hold on, later on, from now on, it on, put on, move in, fill in, join in, don't want to, not used to, asked for, paid for, plan a",
		common: "you it is not this that me we they have need want would like please order can't don't didn't still just here there help buy get know will be been when what how",
	},
	{ // Spanish
		greetings: "hola, ola, buenas, buenos días, buenos dias, buen día, buen dia, buenas tardes, buenas noches, hola buenas, qué tal, que tal, saludos, estimado, estimada, estimados, señor, señora, " +
			"estimado señor, estimada señora, muy buenas, disculpe, disculpa, perdón, perdone, oye, oiga",
		openers: "tengo una pregunta, tengo una duda, tengo una consulta, tengo unas preguntas, tengo otra pregunta, una pregunta, una duda, una consulta, otra pregunta, otra cosa, una cosa, pregunta, consulta, " +
			"quiero preguntar algo, quería preguntar algo, quería preguntarle algo, quería hacer una consulta, quisiera hacer una consulta, quería hacer una pregunta, quiero hacer una pregunta, puedo preguntar algo, " +
			"puedo hacer una pregunta, puedo hacerte una pregunta, puedo hacerle una pregunta, le puedo hacer una pregunta, te puedo hacer una pregunta, tengo un problema, necesito ayuda, me puede ayudar, me puedes ayudar",
		leads:  "quisiera saber, quería saber, quiero saber, me gustaría saber, quisiera preguntar, quería preguntar, quería preguntarle, quería preguntarte, me gustaría",
		topics: "sobre, acerca de, respecto a, respecto al, en cuanto a, con respecto a",
		answers: "sí, si, sip, no, nop, ok, vale, okey, okay, dale, listo, claro, claro que sí, por supuesto, exacto, exactamente, correcto, de acuerdo, quizás, quizá, tal vez, gracias, muchas gracias, mil gracias, gracias por todo, muchísimas gracias, " +
			"por favor, sí por favor, no gracias, de nada, adiós, adios, chao, chau, hasta luego, hasta mañana, hasta pronto, nos vemos, bien, muy bien, perfecto, genial, bueno, excelente, entendido, entiendo, hecho, nada, ninguno, ninguna, nunca, todavía no, aún no, " +
			"eso es todo, nada más, no sé, no lo sé, no se, ambos, jaja, jajaja, hoy, mañana, ahora, ya, lunes, martes, miércoles, miercoles, jueves, viernes, sábado, sabado, domingo, uno, dos, tres, cuatro, cinco, seis, siete, ocho, nueve, diez, mediodía, cancelar, ayuda",
		asks: "qué quién quiénes cuándo cuando dónde donde cómo como cuál cuáles cuánto cuánta cuántos cuántas cuanto cuanta cuantos cuantas quien cual por adónde es son está están esta hay tiene tienen tienes puede puedes pueden puedo hacen hace venden vende sabe sabes podría podrías tenéis abren cierran llega",
		joins: "y e o u ni pero porque aunque sino que si mas a ante con contra de del desde durante en entre hacia hasta mediante para por según sin sobre tras al el la los las lo un una unos unas " +
			"mi mis tu tus su sus nuestro nuestra nuestros nuestras vuestro vuestra vuestros vuestras cuyo cuya",
		ends:   "para mi, a mi, por mi, claro que si, creo que si",
		common: "yo me te se le nos es está estoy quiero quisiera necesito tengo tiene mi pedido cuándo dónde cómo no muy más ya hay puedo gracias todavía llegado hacer favor saber compré hola",
	},
	{ // Portuguese
		greetings: "olá, ola, oi, oie, opa, bom dia, boa tarde, boa noite, oi tudo bem, tudo bem, tudo bom, e aí, e ai, prezado, prezada, prezados, prezado senhor, senhor, senhora, caro senhor, com licença, desculpe, desculpa",
		openers: "tenho uma pergunta, tenho uma dúvida, tenho uma duvida, tenho outra pergunta, tenho outra dúvida, uma pergunta, uma dúvida, uma duvida, outra coisa, outra dúvida, uma coisa, pergunta, dúvida, " +
			"queria perguntar uma coisa, queria fazer uma pergunta, gostaria de fazer uma pergunta, posso perguntar uma coisa, posso fazer uma pergunta, posso te perguntar uma coisa, queria tirar uma dúvida, gostaria de tirar uma dúvida, " +
			"tenho um problema, estou com um problema, preciso de ajuda, pode me ajudar, você pode me ajudar",
		leads:  "queria saber, gostaria de saber, quero saber, queria perguntar, gostaria de perguntar",
		topics: "sobre, acerca de, em relação a, em relação ao, quanto ao, a respeito de, a respeito do",
		answers: "sim, não, nao, ok, okay, tá, tá bom, ta bom, está bem, beleza, claro, com certeza, certo, isso, isso mesmo, exato, exatamente, talvez, obrigado, obrigada, muito obrigado, muito obrigada, brigado, valeu, por favor, sim por favor, não obrigado, não obrigada, de nada, " +
			"tchau, adeus, até logo, até mais, até amanhã, até breve, bem, muito bem, perfeito, ótimo, otimo, legal, bom, entendi, entendido, combinado, feito, pronto, nada, nenhum, nenhuma, nunca, ainda não, só isso, é só isso, não sei, ambos, kkk, kkkk, rsrs, " +
			"hoje, amanhã, amanha, agora, segunda, terça, quarta, quinta, sexta, sábado, domingo, segunda-feira, terça-feira, quarta-feira, quinta-feira, sexta-feira, dois, duas, três, quatro, cinco, seis, sete, oito, nove, dez, meio-dia, cancelar, ajuda",
		asks: "que quem quando onde como qual quais quanto quanta quantos quantas por aonde cadê é são está estão há tem têm tens pode podem posso poderia fazem vende vendem vocês você sabe abre abrem fecha chega",
		joins: "e ou mas porque pois embora que se a ao aos à às o os as um uma uns umas de do da dos das em no na nos nas com sem para pra pro pras pros por pelo pela pelos pelas até desde entre sobre contra durante num numa " +
			"meu minha meus minhas teu tua teus tuas seu sua seus suas nosso nossa nossos nossas",
		ends:   "por que",
		common: "eu me você vocês não é está estou quero queria gostaria preciso tenho tem meu minha pedido quando onde como muito mais já ainda posso obrigado fazer saber chegou comprei isso ele ela olá",
	},
	{ // German
		greetings: "hallo, hi, hey, moin, moin moin, servus, grüß gott, grüezi, guten tag, guten morgen, guten abend, morgen zusammen, hallo zusammen, hallo liebes team, tag, mahlzeit, sehr geehrte damen und herren, sehr geehrter herr, sehr geehrte frau, " +
			"sehr geehrte, sehr geehrter, liebe, lieber, liebes, liebes team, entschuldigung, entschuldigen sie, sorry",
		openers: "ich habe eine frage, ich hab eine frage, ich hab ne frage, ich hätte eine frage, ich hätte mal eine frage, ich habe noch eine frage, ich habe mal eine frage, ich hab da mal eine frage, hätte eine frage, habe eine frage, hab eine frage, eine frage, kurze frage, eine kurze frage, noch eine frage, nur eine frage, frage, " +
			"kann ich etwas fragen, kann ich was fragen, kann ich sie etwas fragen, kann ich dich was fragen, darf ich etwas fragen, darf ich was fragen, ich möchte etwas fragen, ich wollte etwas fragen, " +
			"ich habe ein problem, ich hab ein problem, es gibt ein problem, ich brauche hilfe, ich brauche ihre hilfe, können sie mir helfen, kannst du mir helfen, noch etwas, noch was, folgendes",
		leads:  "ich wollte fragen, ich wollte mal fragen, ich möchte wissen, ich wollte wissen, ich würde gerne wissen, ich würde gern wissen",
		topics: "wegen, bezüglich, betreffend, hinsichtlich, betreff, es geht um",
		answers: "ja, jo, jep, jup, nein, nee, nö, ok, okay, klar, na klar, gerne, gern, sicher, natürlich, genau, stimmt, richtig, einverstanden, vielleicht, danke, danke schön, dankeschön, vielen dank, herzlichen dank, danke sehr, danke dir, danke ihnen, besten dank, bitte, ja bitte, nein danke, bitte schön, kein problem, " +
			"tschüss, tschüß, tschau, ciao, bis bald, bis später, bis dann, bis morgen, auf wiedersehen, gute nacht, schönen tag, schönen tag noch, schönes wochenende, gut, sehr gut, super, prima, perfekt, toll, alles klar, verstanden, verstehe, erledigt, fertig, nichts, keine, keiner, nie, noch nicht, nicht mehr, das war's, das ist alles, " +
			"weiß nicht, ich weiß nicht, keine ahnung, beide, haha, heute, morgen, jetzt, sofort, übermorgen, montag, dienstag, mittwoch, donnerstag, freitag, samstag, sonnabend, sonntag, eins, zwei, drei, vier, fünf, sechs, sieben, acht, neun, zehn, mittag, stopp, stornieren, hilfe",
		asks: "wer was wann wo warum wieso weshalb wie welche welcher welches welchen wem wen wessen wohin woher wieviel wofür womit ist sind bin war hat haben habe hast habt kann kannst können könnte könnten könnt gibt geht wird werden will willst wollen darf dürfen muss müssen soll sollte macht machen hätte hätten wäre kommt liefert bietet",
		joins: "und oder aber sondern weil dass daß ob wenn obwohl falls sowie bzw denn für von mit ohne gegen wegen seit bis zwischen zum zur vom beim im am ins ans aufs über unter der die den dem des eine einen einem einer eines " +
			"mein meine meinen meinem meiner meines dein deine deinen deinem deiner seine seinen seinem seiner ihre ihren ihrem ihrer unser unsere unseren unserem unserer unseres euer eure euren eurem eurer als",
		loose:  "denn mit über unter",
		ends:   "kommst du mit, komme mit, nehme ich mit, nehmen sie mit, bring mit",
		common: "ich du er sie es wir ihr mir mich dir ihnen ist sind habe hat nicht kein keine ein das auch noch schon bitte möchte brauche bestellung wann wo wie hier gerne danke kann nur mal",
	},
	{ // French
		greetings: "bonjour, bonsoir, salut, coucou, hello, bonjour à tous, bonjour madame, bonjour monsieur, madame, monsieur, madame monsieur, cher monsieur, chère madame, cher, chère, ça va, re bonjour, rebonjour, excusez-moi, pardon, désolé, désolée",
		openers: "j'ai une question, j'ai des questions, j'ai quelques questions, j'ai une petite question, j'ai une autre question, j'aurais une question, une question, petite question, une petite question, autre question, autre chose, question, " +
			"je peux vous poser une question, je peux te poser une question, puis-je vous poser une question, puis-je poser une question, est-ce que je peux poser une question, je voulais vous demander quelque chose, je voulais demander quelque chose, j'aimerais demander quelque chose, " +
			"j'ai un problème, j'ai un souci, j'ai besoin d'aide, pouvez-vous m'aider, vous pouvez m'aider, tu peux m'aider",
		leads:  "je voudrais savoir, je voulais savoir, j'aimerais savoir, j'aurais voulu savoir, je voulais demander, je voudrais, j'aimerais",
		topics: "concernant, au sujet de, au sujet du, à propos de, à propos du, par rapport à, quant à",
		answers: "oui, ouais, non, nan, ok, okay, d'accord, dac, si, bien sûr, exactement, exact, voilà, c'est ça, peut-être, merci, merci beaucoup, merci bien, mille merci, un grand merci, s'il vous plaît, s'il te plaît, svp, stp, oui merci, non merci, de rien, pas de problème, pas de souci, " +
			"au revoir, à bientôt, à demain, à plus, à plus tard, à tout à l'heure, bonne journée, bonne soirée, bonne nuit, bien, très bien, parfait, super, génial, bon, compris, je comprends, entendu, ça marche, fait, rien, aucun, aucune, jamais, pas encore, c'est tout, c'est bon, je ne sais pas, je sais pas, les deux, mdr, " +
			"aujourd'hui, demain, maintenant, ce soir, lundi, mardi, mercredi, jeudi, vendredi, samedi, dimanche, deux, trois, quatre, cinq, six, sept, huit, neuf, dix, midi, minuit, annuler, aide, stop",
		asks: "qui que quoi quand où comment pourquoi quel quelle quels quelles combien est-ce qu'est-ce es-tu êtes-vous avez-vous as-tu pouvez-vous peux-tu puis-je peut-on y-a-t-il faites-vous livrez-vous est-il est-elle vous tu",
		joins: "et ou mais donc car ni que parce puisque lorsque comme si de du des d' à au aux avec sans pour par sur dans en chez vers entre depuis pendant jusqu'à jusque contre sous selon le la les l' un une " +
			"mon ma mes ton ta tes son sa ses notre nos votre vos leur leurs ce cet cette ces je j'ai c'est qu'il qu'elle qu'on",
		loose:  "ou",
		ends:   "j'en veux une, j'en veux un, moi je suis pour, que c'est, ce que c'est",
		common: "je j'ai tu il elle nous vous on ne pas est c'est suis veux voudrais besoin ma mon commande quand où comment bonjour merci toujours encore très plus bien avoir faire acheté reçu n'ai n'est ça cela",
	},
	{ // Italian
		greetings: "ciao, salve, buongiorno, buon giorno, buonasera, buona sera, buon pomeriggio, buondì, ehi, ciao a tutti, gentile, gentili, gentile signore, gentile signora, egregio, egregio signore, signore, signora, scusi, scusa, scusate, mi scusi",
		openers: "ho una domanda, ho un dubbio, ho delle domande, ho un'altra domanda, avrei una domanda, avevo una domanda, una domanda, un'altra domanda, un'altra cosa, una cosa, domanda, vorrei chiedere una cosa, volevo chiedere una cosa, vorrei fare una domanda, volevo fare una domanda, " +
			"posso chiedere una cosa, posso fare una domanda, posso farle una domanda, posso farti una domanda, ho un problema, ho bisogno di aiuto, ho bisogno d'aiuto, mi serve aiuto, mi può aiutare, mi puoi aiutare, può aiutarmi, puoi aiutarmi",
		leads:  "vorrei sapere, volevo sapere, volevo chiedere, vorrei chiedere, mi piacerebbe sapere",
		topics: "riguardo, riguardo a, riguardo al, riguardo alla, a proposito di, in merito a, in merito al, per quanto riguarda",
		answers: "sì, si, no, ok, okay, va bene, certo, certamente, esatto, esattamente, giusto, d'accordo, forse, grazie, grazie mille, molte grazie, tante grazie, per favore, sì grazie, si grazie, no grazie, prego, di niente, " +
			"arrivederci, a presto, a domani, a dopo, ci vediamo, buonanotte, buona notte, buona giornata, buona serata, bene, molto bene, benissimo, perfetto, ottimo, capito, ho capito, fatto, niente, nulla, nessuno, nessuna, mai, non ancora, è tutto, basta così, basta, non lo so, non so, entrambi, ahah, " +
			"oggi, domani, adesso, ora, subito, stasera, lunedì, martedì, mercoledì, giovedì, venerdì, sabato, domenica, uno, due, tre, quattro, cinque, sei, sette, otto, nove, dieci, mezzogiorno, annulla, annullare, aiuto",
		asks: "chi cosa che quando dove come perché perchè quale quali quanto quanta quanti quante dov'è cos'è com'è è sono c'è ci ha hai avete hanno può puoi potete posso potrebbe fate vendete sapete sa sai",
		joins: "e ed o oppure ma però perché perchè che se a ad da di in con su per tra fra senza verso contro durante fino del dello della dell' dei degli delle al allo alla all' ai agli alle dal dallo dalla dai dagli dalle nel nello nella nei negli nelle sul sullo sulla sui sugli sulle col " +
			"il lo la i gli le l' un uno una un' mio mia miei mie tuo tua tuoi tue suo sua suoi sue nostro nostra nostri nostre vostro vostra vostri vostre",
		loose:  "perché perchè",
		ends:   "non so perché",
		common: "io mi ti si non è sono ho ha hai vorrei voglio sapere posso mio ordine quando dove come cosa molto più già ancora grazie fare comprato arrivato buongiorno questo quello anche per favore",
	},
}

// languageSet is a set of places in chat.
type languageSet uint8

// chatWord is what is known of one word.
type chatWord struct{ known, asks, joins, loose languageSet }

// chatIndex has the words and the phrases of all languages.
var chatIndex = func() (x struct {
	words                                            map[string]chatWord
	greetings, openers, leads, topics, answers, ends map[string]bool
	longest                                          int // words in a phrase
},
) {
	x.words = map[string]chatWord{}
	phrases := func(all ...string) map[string]bool {
		m := map[string]bool{}
		for _, list := range all {
			for phrase := range strings.SplitSeq(list, ",") {
				if phrase = strings.TrimSpace(phrase); phrase != "" {
					m[phrase] = true
					x.longest = max(x.longest, len(strings.Fields(phrase)))
				}
			}
		}
		return m
	}
	var greetings, openers, leads, topics, answers, ends []string
	for i, c := range chat {
		greetings, openers, leads = append(greetings, c.greetings), append(openers, c.openers), append(leads, c.leads)
		topics, answers, ends = append(topics, c.topics), append(answers, c.answers), append(ends, c.ends)
		set := languageSet(1) << i
		for list, mark := range map[string]func(*chatWord){
			c.asks: func(w *chatWord) { w.asks |= set }, c.joins: func(w *chatWord) { w.joins |= set },
			c.loose: func(w *chatWord) { w.loose |= set }, c.common: func(*chatWord) {},
		} {
			for each := range strings.FieldsSeq(list) {
				w := x.words[each]
				w.known |= set
				mark(&w)
				x.words[each] = w
			}
		}
	}
	x.greetings, x.openers, x.leads = phrases(greetings...), phrases(openers...), phrases(leads...)
	x.topics, x.answers, x.ends = phrases(topics...), phrases(answers...), phrases(ends...)
	return x
}()
