"""What lists of contacts call their columns, in the languages they are kept in.

Written as they are compared: lower case, without accents, any punctuation as one space. Languages in this
order: English, German, French, Spanish, Portuguese, Italian, Dutch, Swedish/Danish/Norwegian, Finnish, Polish,
Czech/Slovak, Hungarian, Romanian, Turkish, Greek, Russian/Ukrainian, Japanese, Chinese, Korean, Arabic, Hebrew.
"""

from __future__ import annotations

import re
import unicodedata

WORDS: dict[str, str] = {
    "name": """
        name, full name, contact name, customer name, client name, display name, contact, customer, client, person,
        fullname, lead name, member name, subscriber, kontakt, kunde, kundenname, vollstandiger name,
        ansprechpartner, nom complet, nom du contact, client nom, nombre completo, nombre del cliente, contacto,
        cliente, nombre y apellidos, nome, nome completo, nome do cliente, nome cliente, nominativo, nome e cognome,
        naam, volledige naam, klantnaam, contactpersoon, namn, fullstandigt namn, navn, fulde navn, fullt navn,
        kundenavn, nimi, koko nimi, imie i nazwisko, nazwa, klient, jmeno a prijmeni, cele jmeno, meno a priezvisko,
        nev, teljes nev, nume complet, nume si prenume, ad soyad, adi soyadi, isim, onomateponymo, ονομα,
        ονοματεπωνυμο, фио, имя и фамилия, полное имя, контакт, пiб, піб, 氏名, 名前, お名前, 姓名, 名字, 名称,
        顧客名, 客户姓名, 联系人,
        聯絡人, 이름, 성명, 고객명, الاسم, الاسم الكامل, שם, שם מלא""",
    "first_name": """
        first name, firstname, given name, forename, fname, first, vorname, prenom, nombre, nombre de pila,
        primeiro nome, nome proprio, voornaam, fornamn, fornavn, etunimi, imie, jmeno, krestni jmeno, meno,
        keresztnev, utonev, prenume, ad, adi, ονομα μικρο, имя, имʼя, ім я, 名, 下の名前, الاسم الاول, שם פרטי""",
    "last_name": """
        last name, lastname, surname, family name, lname, last, nachname, familienname, zuname, nom, nom de famille,
        apellido, apellidos, sobrenome, apelido, ultimo nome, cognome, achternaam, familienaam, efternamn, efternavn,
        etternavn, sukunimi, nazwisko, prijmeni, priezvisko, vezeteknev, csaladnev, nume, nume de familie, soyad,
        soyadi, επωνυμο, фамилия, прізвище, прiзвище, 姓, 苗字, 성, اسم العائلة, שם משפחה""",
    "email": """
        email, e mail, mail, email address, e mail address, mail address, emailaddress, primary email, work email,
        contact email, email 1, e mail 1 value, email 1 value, mailadresse, e mail adresse, email adresse,
        emailadresse, courriel, adresse mail, adresse email, adresse e mail, adresse electronique, mel, correo,
        correo electronico, direccion de correo, direccion de correo electronico, endereco de email,
        endereco de e mail, correio eletronico, posta elettronica, indirizzo email, indirizzo e mail, e mailadres,
        mailadres, e post, epost, epostadress, e postadress, e postadresse, sahkoposti, sahkopostiosoite,
        adres e mail, adres email, poczta, email adresa, e mailova adresa, elektronikus cim, e mail cim, email cim,
        adresa de email, adresa email, eposta, e posta, e posta adresi, ηλεκτρονικη διευθυνση, электронная почта,
        эл почта, почта, имейл, адрес электронной почты, електронна пошта, メール, メールアドレス, eメール,
        邮箱, 电子邮件, 电子邮箱, 電子郵件,
        電郵, 이메일, 이메일 주소, 메일, البريد الالكتروني, البريد, דוא ל, דואר אלקטרוני, אימייל, מייל""",
    "phone": """
        phone, mobile, telephone, tel, cell, mobile phone, phone number, mobile number, cell phone, cellphone,
        telephone number, primary phone, work phone, home phone, business phone, contact number, phone 1,
        phone 1 value, whatsapp, sms, msisdn, telefon, handy, mobil, mobiltelefon, telefonnummer, handynummer,
        mobilnummer, rufnummer, festnetz, telefon mobil, portable, tel portable, numero de telephone,
        telephone portable, telefono, movil, celular, numero de telefono, telefono movil, telefone, telemovel,
        numero de telefone, cellulare, numero di telefono, telefoon, telefoonnummer, mobiel, mobiele nummer, gsm,
        mobilnr, telefonnr, tlf, puhelin, puhelinnumero, matkapuhelin, komorka, numer telefonu, telefon komorkowy,
        telefonni cislo, telefonne cislo, telefonszam, mobilszam, numar de telefon, telefon numarasi, cep telefonu,
        cep, τηλεφωνο, κινητο, телефон, мобильный, мобильный телефон, номер телефона, телефон моб, 電話,
        電話番号, 携帯,
        携帯電話, 携帯番号, 电话, 手机, 手机号, 手机号码, 電話號碼, 手機, 전화, 전화번호, 휴대폰, 핸드폰,
        연락처, الهاتف, رقم الهاتف, الجوال, טלפון, נייד,
        מספר טלפון""",
    "identifier": """
        identifier, external id, customer number, customer id, customer no, client id, client number, contact id,
        user id, member id, membership number, account number, customer ref, customer reference, ref, reference,
        reference number, id, external identifier, external key, crm id, lead id, subscriber id, customer code,
        client code, kundennummer, kundennr, kunden nr, kunden id, kd nr, mitgliedsnummer, numero client,
        numero de client, n client, no client, code client, reference client, id client, numero de cliente,
        n cliente, codigo de cliente, codigo cliente, id cliente, codigo do cliente, codice cliente, numero cliente,
        klantnummer, klant id, klantnr, kundnummer, kundenummer, kunde id, asiakasnumero, numer klienta, id klienta,
        nr klienta, cislo zakaznika, id zakaznika, ugyfelszam, ugyfelkod, numar client, cod client, musteri no,
        musteri numarasi, musteri kodu, κωδικος πελατη, номер клиента, id клиента, код клиента, номер клієнта,
        顧客番号,
        顧客id, 会員番号, 会員id, 客户编号, 客户号, 客戶編號, 编号, 고객번호, 회원번호, رقم العميل, מספר לקוח""",
    "contact_type": """
        type, contact type, customer type, client type, segment, customer segment, category, contact category, group,
        lifecycle, lifecycle stage, typ, kontakttyp, kundentyp, kundengruppe, kategorie, gruppe, type de contact,
        type de client, categorie, groupe, tipo, tipo de contacto, tipo de cliente, categoria, segmento, grupo,
        tipo di contatto, tipo cliente, gruppo, klanttype, soort, groep, kundtyp, kundetype, grupp, tyyppi, ryhma,
        typ klienta, kategoria, grupa, typ kontaktu, skupina, tipus, csoport, tip, tur, turu, τυπος, тип, категория,
        группа, тип клиента, сегмент, 種別, 区分, 类型, 類型, 유형, 구분, النوع, סוג""",
    "last_activity_at": """
        last activity, last activity at, last activity date, last contact, last contacted, last contacted at,
        last seen, last seen at, last active, last interaction, last visit, last login, last order, last order date,
        last purchase, letzte aktivitat, letzter kontakt, zuletzt aktiv, zuletzt gesehen, letzter besuch,
        derniere activite, dernier contact, derniere visite, derniere connexion, ultima actividad, ultimo contacto,
        ultima visita, ultima atividade, ultimo contato, ultima attivita, ultimo contatto, laatste activiteit,
        laatste contact, laatst gezien, senaste aktivitet, senast aktiv, seneste aktivitet, sidst set,
        siste aktivitet, viimeisin tapahtuma, ostatnia aktywnosc, ostatni kontakt, posledni aktivita,
        posledni kontakt, utolso aktivitas, ultima activitate, son aktivite, son gorulme, τελευταια δραστηριοτητα,
        последняя активность, последний контакт, остання активність, 最終アクティビティ, 最終連絡日, 最后活动,
        最近联系, 最近活動, 마지막 활동,
        최근 활동, اخر نشاط, פעילות אחרונה""",
}

# A header with one of these words is about something else, whatever words stand beside it.
_OTHER_MATTERS = """
    company, companies, organisation, organization, firm, firma, unternehmen, societe, entreprise, empresa,
    azienda, societa, bedrijf, foretag, virksomhed, yritys, spolka, sirket, компания, организация, employer,
    business, account, product, file, user, owner, agent, opt, optin, consent, newsletter, marketing, verified,
    confirmed, status, count, fax, telefax, subject, body, domain, provider, bounced, unsubscribed,
    invalid, valid, secondary, emergency, parent, partner, spouse, assistant, manager, billing, street, city,
    country, state, postcode, zip, middle, nick, nickname, maiden, second, 2, 3, alternative, other, fallback,
    previous, former, old"""
OTHER_MATTERS = frozenset(word.strip() for word in _OTHER_MATTERS.split(","))


def plain(header: str) -> str:
    """A header as it is compared: lower case, no accents, punctuation and case changes as one space."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", header)
    letters = unicodedata.normalize("NFKD", spaced.casefold().replace("ł", "l").replace("ø", "o").replace("ı", "i"))
    kept = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return " ".join(re.sub(r"[\W_]+", " ", unicodedata.normalize("NFKC", kept)).split())


PHRASES: dict[str, dict[str, int]] = {
    field: {phrase: rank for rank, phrase in enumerate(dict.fromkeys(plain(word) for word in words.split(",")))}
    for field, words in WORDS.items()
}


def header_score(field: str, header: str) -> float:
    """0 … 1: how surely a column with this header is ``field``, by its words alone."""
    words = plain(header)
    phrases = PHRASES[field]
    if words in phrases:
        # Of "Phone", "Mobile" and "Home phone" the word listed earlier is the likelier main column.
        return 1.0 - 0.1 * phrases[words] / len(phrases)
    if OTHER_MATTERS.intersection(words.split()):
        return 0.0
    padded = f" {words} "
    longest = max((len(phrase) for phrase in phrases if len(phrase) > 2 and f" {phrase} " in padded), default=0)
    return 0.3 + 0.4 * longest / len(words) if longest else 0.0
