<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="de" sourcelanguage="en">
<context>
    <name>OfflineBanner</name>
    <message>
        <source>The server does not let this program in.</source>
        <translation>Der Server lässt dieses Programm nicht zu.</translation>
    </message>
    <message>
        <source>There is no connection yet. What you see may be old.</source>
        <translation>Noch keine Verbindung. Was Sie sehen, kann veraltet sein.</translation>
    </message>
    <message>
        <source>The connection is interrupted. What you see may be old.</source>
        <translation>Die Verbindung ist unterbrochen. Was Sie sehen, kann veraltet sein.</translation>
    </message>
    <message numerus="yes">
        <source>%n change(s) will be sent when it is back.</source>
        <translation>
            <numerusform>%n Änderung wird gesendet, sobald sie wieder besteht.</numerusform>
            <numerusform>%n Änderungen werden gesendet, sobald sie wieder besteht.</numerusform>
        </translation>
    </message>
    <message>
        <source>Try now</source>
        <translation>Jetzt versuchen</translation>
    </message>
</context>
<context>
    <name>SignIn</name>
    <message>
        <source>Signing in was cancelled.</source>
        <translation>Die Anmeldung wurde abgebrochen.</translation>
    </message>
    <message>
        <source>The browser did not come back in time. Please try again.</source>
        <translation>Der Browser ist nicht rechtzeitig zurückgekehrt. Bitte versuchen Sie es noch einmal.</translation>
    </message>
    <message>
        <source>The browser could not be opened.</source>
        <translation>Der Browser konnte nicht geöffnet werden.</translation>
    </message>
    <message>
        <source>The server does not offer this way to sign in.</source>
        <translation>Der Server bietet diese Art der Anmeldung nicht an.</translation>
    </message>
    <message>
        <source>The server cannot be reached at the moment.</source>
        <translation>Der Server ist im Augenblick nicht erreichbar.</translation>
    </message>
    <message>
        <source>The sign-in service cannot be reached at the moment.</source>
        <translation>Der Anmeldedienst ist im Augenblick nicht erreichbar.</translation>
    </message>
    <message>
        <source>The sign-in service cannot be used with this program.</source>
        <translation>Der Anmeldedienst lässt sich mit diesem Programm nicht verwenden.</translation>
    </message>
    <message>
        <source>The sign-in service has not let you in.</source>
        <translation>Der Anmeldedienst hat die Anmeldung abgelehnt.</translation>
    </message>
    <message>
        <source>The sign-in service reports an error.</source>
        <translation>Der Anmeldedienst meldet einen Fehler.</translation>
    </message>
    <message>
        <source>The browser came back from another sign-in. Please try again.</source>
        <translation>Der Browser ist von einer anderen Anmeldung zurückgekehrt. Bitte versuchen Sie es noch einmal.</translation>
    </message>
    <message>
        <source>The answer is from another sign-in service.</source>
        <translation>Die Antwort stammt von einem anderen Anmeldedienst.</translation>
    </message>
    <message>
        <source>The sign-in service has not confirmed the sign-in.</source>
        <translation>Der Anmeldedienst hat die Anmeldung nicht bestätigt.</translation>
    </message>
    <message>
        <source>The answer of the sign-in service cannot be used.</source>
        <translation>Die Antwort des Anmeldedienstes ist nicht verwendbar.</translation>
    </message>
    <message>
        <source>The answer belongs to another sign-in. Please try again.</source>
        <translation>Die Antwort gehört zu einer anderen Anmeldung. Bitte versuchen Sie es noch einmal.</translation>
    </message>
    <message>
        <source>The answer is meant for another program.</source>
        <translation>Die Antwort ist für ein anderes Programm bestimmt.</translation>
    </message>
    <message>
        <source>The answer has expired. Is the clock of this computer right?</source>
        <translation>Die Antwort ist abgelaufen. Geht die Uhr dieses Rechners richtig?</translation>
    </message>
    <message>
        <source>This is not an e-mail address.</source>
        <translation>Das ist keine E-Mail-Adresse.</translation>
    </message>
    <message>
        <source>Too many codes were asked for. Please wait a while.</source>
        <translation>Es wurden zu viele Codes angefordert. Bitte warten Sie etwas.</translation>
    </message>
    <message>
        <source>The code cannot be sent at the moment.</source>
        <translation>Der Code kann im Augenblick nicht gesendet werden.</translation>
    </message>
    <message>
        <source>The code is wrong, or the sign-in is not valid any more.</source>
        <translation>Der Code ist falsch, oder die Anmeldung ist nicht mehr gültig.</translation>
    </message>
    <message>
        <source>The server has not answered in time.</source>
        <translation>Der Server hat nicht rechtzeitig geantwortet.</translation>
    </message>
    <message>
        <source>The connection broke, and it is not known whether this was done.</source>
        <translation>Die Verbindung ist abgebrochen, und es ist nicht bekannt, ob es noch getan wurde.</translation>
    </message>
</context>
</TS>
