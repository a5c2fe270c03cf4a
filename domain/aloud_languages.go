package domain

import "strings"

// earWordsOf gives the words of a language, or those of none.
func earWordsOf(language string) *earWords {
	clean, _ := CleanLanguage(language)
	base, region, _ := strings.Cut(clean, "-")
	w, ok := ear[base]
	if !ok {
		return &earWords{decimal: "."}
	}
	if base == "en" && region != "" && region != "US" { // the rest of the world writes the day first
		british := *w
		british.monthFirst = false
		return &british
	}
	return w
}

// ear holds the words of every language that has them.
var ear = map[string]*earWords{
	"en": {
		tag: "en", monthFirst: true, decimal: ".",
		link: "the link in the message", mail: "the e-mail address in the message", code: "the code in the message",
		table: "The table is in the message.", program: "The code is in the message.", more: "And % more are in the message.", rest: "The rest is in the message.",
		and: "and", plus: "plus", minus: "minus", equals: "equals", times: "times", to: "to", dot: "dot", number: "number", about: "about",
		months:     strings.Fields("January February March April May June July August September October November December"),
		money:      pairs("USD dollar|dollars;EUR euro|euros;GBP pound|pounds;JPY yen|yen;INR rupee|rupees;BRL real|reais;CHF Swiss franc|Swiss francs;MXN Mexican peso|Mexican pesos;CAD Canadian dollar|Canadian dollars;AUD Australian dollar|Australian dollars"),
		units:      pairs("% percent;km kilometer|kilometers;m meter|meters;cm centimeter|centimeters;mm millimeter|millimeters;m² square meter|square meters;km² square kilometer|square kilometers;km/h kilometers per hour;mph miles per hour;kg kilogram|kilograms;g gram|grams;mg milligram|milligrams;l liter|liters;L liter|liters;ml milliliter|milliliters;°C degree Celsius|degrees Celsius;°F degree Fahrenheit|degrees Fahrenheit;° degree|degrees;kWh kilowatt hour|kilowatt hours;GB gigabyte|gigabytes;MB megabyte|megabytes;h hour|hours;min minute|minutes;hrs hours;mins minutes;lb pound|pounds;lbs pounds;oz ounce|ounces;ft foot|feet"),
		magnitudes: pairs("thousand ;million ;billion ;trillion "),
	},
	"es": {
		tag: "es", decimal: ",",
		link: "el enlace del mensaje", mail: "la dirección de correo del mensaje", code: "el código del mensaje",
		table: "La tabla está en el mensaje.", program: "El código está en el mensaje.", more: "Y % más están en el mensaje.", rest: "El resto está en el mensaje.",
		and: "y", plus: "más", minus: "menos", equals: "igual a", times: "por", to: "a", dot: "punto", number: "número", about: "unos",
		months:     strings.Fields("enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre"),
		money:      pairs("USD dólar|dólares;EUR euro|euros;GBP libra|libras;JPY yen|yenes;INR rupia|rupias;BRL real|reales;CHF franco suizo|francos suizos;MXN peso mexicano|pesos mexicanos;CAD dólar canadiense|dólares canadienses;AUD dólar australiano|dólares australianos"),
		units:      pairs("% por ciento;km kilómetro|kilómetros;m metro|metros;cm centímetro|centímetros;mm milímetro|milímetros;m² metro cuadrado|metros cuadrados;km² kilómetro cuadrado|kilómetros cuadrados;km/h kilómetros por hora;kg kilo|kilos;g gramo|gramos;mg miligramo|miligramos;l litro|litros;L litro|litros;ml mililitro|mililitros;°C grado|grados;° grado|grados;kWh kilovatio hora|kilovatios hora;GB gigabyte|gigabytes;MB megabyte|megabytes;h hora|horas;min minuto|minutos"),
		magnitudes: pairs("mil ;millón de ;millones de "),
	},
	"de": {
		tag: "de", decimal: ",",
		link: "Link in der Nachricht", mail: "E-Mail-Adresse in der Nachricht", code: "Code in der Nachricht",
		table: "Die Tabelle steht in der Nachricht.", program: "Der Code steht in der Nachricht.", more: "Und % weitere stehen in der Nachricht.", rest: "Der Rest steht in der Nachricht.",
		and: "und", plus: "plus", minus: "minus", equals: "gleich", times: "mal", to: "bis", dot: "Punkt", number: "Nummer", about: "etwa",
		months:     strings.Fields("Januar Februar März April Mai Juni Juli August September Oktober November Dezember"),
		money:      pairs("USD Dollar|Dollar;EUR Euro|Euro;GBP Pfund|Pfund;JPY Yen|Yen;INR Rupie|Rupien;BRL Real|Real;CHF Franken|Franken;MXN mexikanischer Peso|mexikanische Pesos;CAD kanadischer Dollar|kanadische Dollar;AUD australischer Dollar|australische Dollar"),
		units:      pairs("% Prozent;km Kilometer;m Meter;cm Zentimeter;mm Millimeter;m² Quadratmeter;km² Quadratkilometer;km/h Kilometer pro Stunde;kg Kilogramm;g Gramm;mg Milligramm;l Liter;L Liter;ml Milliliter;°C Grad;° Grad;kWh Kilowattstunde|Kilowattstunden;GB Gigabyte;MB Megabyte;h Stunde|Stunden;Std Stunde|Stunden;min Minute|Minuten;Min Minute|Minuten"),
		magnitudes: pairs("tausend ;million ;millionen ;mio ;milliarde ;milliarden "),
	},
	"fr": {
		tag: "fr", decimal: ",",
		link: "le lien dans le message", mail: "l'adresse e-mail dans le message", code: "le code dans le message",
		table: "Le tableau est dans le message.", program: "Le code est dans le message.", more: "Et % autres sont dans le message.", rest: "La suite est dans le message.",
		and: "et", plus: "plus", minus: "moins", equals: "égale", times: "fois", to: "à", dot: "point", number: "numéro", about: "environ",
		months:     strings.Fields("janvier février mars avril mai juin juillet août septembre octobre novembre décembre"),
		money:      pairs("USD dollar|dollars;EUR euro|euros;GBP livre|livres;JPY yen|yens;INR roupie|roupies;BRL real|reals;CHF franc suisse|francs suisses;MXN peso mexicain|pesos mexicains;CAD dollar canadien|dollars canadiens;AUD dollar australien|dollars australiens"),
		units:      pairs("% pour cent;km kilomètre|kilomètres;m mètre|mètres;cm centimètre|centimètres;mm millimètre|millimètres;m² mètre carré|mètres carrés;km² kilomètre carré|kilomètres carrés;km/h kilomètres par heure;kg kilo|kilos;g gramme|grammes;mg milligramme|milligrammes;l litre|litres;L litre|litres;ml millilitre|millilitres;°C degré|degrés;° degré|degrés;kWh kilowattheure|kilowattheures;Go gigaoctet|gigaoctets;Mo mégaoctet|mégaoctets;h heure|heures;min minute|minutes"),
		magnitudes: pairs("mille ;million d';millions d';milliard d';milliards d'"),
	},
	"pt": {
		tag: "pt", decimal: ",",
		link: "o link na mensagem", mail: "o e-mail na mensagem", code: "o código na mensagem",
		table: "A tabela está na mensagem.", program: "O código está na mensagem.", more: "E mais % estão na mensagem.", rest: "O resto está na mensagem.",
		and: "e", plus: "mais", minus: "menos", equals: "igual a", times: "vezes", to: "a", dot: "ponto", number: "número", about: "cerca de",
		months:     strings.Fields("janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro"),
		money:      pairs("USD dólar|dólares;EUR euro|euros;GBP libra|libras;JPY iene|ienes;INR rupia|rupias;BRL real|reais;CHF franco suíço|francos suíços;MXN peso mexicano|pesos mexicanos;CAD dólar canadense|dólares canadenses;AUD dólar australiano|dólares australianos"),
		units:      pairs("% por cento;km quilômetro|quilômetros;m metro|metros;cm centímetro|centímetros;mm milímetro|milímetros;m² metro quadrado|metros quadrados;km² quilômetro quadrado|quilômetros quadrados;km/h quilômetros por hora;kg quilo|quilos;g grama|gramas;mg miligrama|miligramas;l litro|litros;L litro|litros;ml mililitro|mililitros;°C grau|graus;° grau|graus;kWh quilowatt-hora|quilowatts-hora;GB gigabyte|gigabytes;MB megabyte|megabytes;h hora|horas;min minuto|minutos"),
		magnitudes: pairs("mil ;milhão de ;milhões de ;bilhão de ;bilhões de "),
	},
	"it": {
		tag: "it", decimal: ",",
		link: "il link nel messaggio", mail: "l'indirizzo e-mail nel messaggio", code: "il codice nel messaggio",
		table: "La tabella è nel messaggio.", program: "Il codice è nel messaggio.", more: "E altri % sono nel messaggio.", rest: "Il resto è nel messaggio.",
		and: "e", plus: "più", minus: "meno", equals: "uguale a", times: "per", to: "a", dot: "punto", number: "numero", about: "circa",
		months:     strings.Fields("gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre"),
		money:      pairs("USD dollaro|dollari;EUR euro|euro;GBP sterlina|sterline;JPY yen|yen;INR rupia|rupie;BRL real|real;CHF franco svizzero|franchi svizzeri;MXN peso messicano|pesos messicani;CAD dollaro canadese|dollari canadesi;AUD dollaro australiano|dollari australiani"),
		units:      pairs("% per cento;km chilometro|chilometri;m metro|metri;cm centimetro|centimetri;mm millimetro|millimetri;m² metro quadrato|metri quadrati;km² chilometro quadrato|chilometri quadrati;km/h chilometri orari;kg chilo|chili;g grammo|grammi;mg milligrammo|milligrammi;l litro|litri;L litro|litri;ml millilitro|millilitri;°C grado|gradi;° grado|gradi;kWh chilowattora;GB gigabyte;MB megabyte;h ora|ore;min minuto|minuti"),
		magnitudes: pairs("mila ;milione di ;milioni di ;miliardo di ;miliardi di "),
	},
}

// pairs reads "key value;key value".
func pairs(s string) map[string]string {
	m := map[string]string{}
	for entry := range strings.SplitSeq(s, ";") {
		key, value, _ := strings.Cut(entry, " ")
		m[key] = value
	}
	return m
}
