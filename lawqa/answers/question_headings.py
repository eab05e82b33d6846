"""How a text hands over another question: a heading, the turn of another speaker, a line that asks."""

from __future__ import annotations

import re

from lawqa.answers.text.keys import early_keys

QUESTION = re.compile(
    r"\n[ #>\-]{0,6}(?:"
    r"\(?(?:質問|問題文?|設問|問い|例題|question|problem|user|human|ユーザー|法令条文|参考(?:条文"
    r"|法令)|関連(?:条文|法令)|条文)"
    r" ?(?:(?:\d{1,3}|[:)])[^\n]{0,400}|(?=\n))"
    r"|(?:user|human)(?=\n)"
    r"|(?:以下|次)の[^\n]{0,80}(?:答え|回答|解答|選択|選び|選ん)[^\n]{0,60}(?:ください|下さい"
    r"|なさい|せよ)[^\n]{0,40}"
    r"|(?:あなたは|you are)[^\n]{3,200})(?=\n|\Z)"
)
_LINE = r"[ #>\-(\[]{0,6}"
_NOUN = (
    r"(?:(?:過去|練習|演習|確認|応用|類似|関連|追加|予想|試験|小)(?:問題?|テスト)|問題文?|設問|質問|問い?|例題|課題|クイズ|演習|練習|出題"
    r"|question|problem|exercise|quiz|query|task)"
)
_CHINESE_NOUN = r"(?:问题|题目|題目|试题|例题|练习题?|[题題])"
_OTHER = (
    r"(?:(?:次|別|もう(?:一|1|ひと)つ|他|ほか|続いて|続き|新た|追加|関連|類似)の|次なる|新しい|新たな"
    r"|別な|追加|練習|類似|確認"
    r"|関連|演習|応用|(?:the )?next|another|one more|a new|new|additional|follow-up|practice|similar"
    r"|下一[个道]?|另一[个道]?)"
)
_NUMBER = r"(?:no\.? ?|第 ?)?(?:[2-9]|1[0-9]|[二三四五②-⑩])"
_TASK = r"(?:ください|下さい|なさい|せよ|ましょう)"
_ROLE = (
    r"(?:学生|生徒|受講生|受験生|先生|教師|講師|教授|お?客(?:様|さま|さん)?|顧客|相談者|依頼者|回答者|弁護士|司会者?|面接官|部下|上司"
    r"|chatgpt|bot|ai|student|teacher|tutor|professor|customer|client|interviewer|examiner)"
)
_LEAD = (
    r"(?:(?:それでは|では|さて|ここで|続けて|次に|最後に|ついでに|参考までに|せっかくなので)、? ?)?"
)
_NEXT_LINE = (
    # a later number, or a word for another one: 問題2, (問題2), 第2問, Question 2, 第2题, 次の問題：
    rf"{_LINE}(?:{_OTHER} ?(?:の ?)?(?:{_NOUN}|{_CHINESE_NOUN})|{_NOUN} ?{_NUMBER}|q\.? ?{_NUMBER}"
    rf"|第 ?(?:[2-9]|1[0-9]|[二三四五]) ?(?:問|题|題)|{_CHINESE_NOUN} ?{_NUMBER}|문제 ?{_NUMBER}|類題|类题)"
    r"(?:[ .]{0,3}[:。\n ]|[)\]])"
    # a turn of the person who asks
    rf"|{_LINE}(?:user|human|ユーザー?|利用者|質問者|用户|使用者|提问者?|사용자|usuario"
    rf"|utilisateur|benutzer"
    r"|instruction|指示|inst)(?:の質問|の問い|'s question)?[ )\]]{0,3}(?::|\n)| {0,3}\[/?inst\]"
    rf"|{_LINE}{_ROLE}[ )\]]{{0,2}}:"
    # a heading, in any of the languages that models slip into
    rf"|{_LINE}(?:q|(?:(?:関連|類似|追加|参考)(?:する|の))?{_NOUN}(?: ?\([^()\n]{{1,20}}\))?"
    rf"|{_CHINESE_NOUN}|问"
    rf"|질문|문제|pregunta|problema"
    r"|frage|aufgabe|domanda|pergunta|вопрос|задача|câu hỏi|pertanyaan|soal|سؤال|प्रश्न"
    r"|คำถาม)[ )\]]{0,2}[:.](?! ?(?:本当|なぜ|何故|どうして|why\b|really\b|is (?:that|it|this)\b))"
    rf"| {{0,3}}#{{1,6}} {{0,3}}(?:{_NOUN}|input|入力|instruction|指示)[: ]{{0,2}}(?=\n)"
    # a sentence that hands over another one
    rf"|[ >#]{{0,5}}{_LEAD}(?:もう|あと)(?:一|1|ひと)(?:問[。、:]|(?:問|つ)[^\n。]{{0,16}}"
    rf"(?:ましょう|ます|お願い|どうぞ|{_TASK})[^\n]{{0,4}}[。:\n])"
    rf"|{_LINE}(?:请你?回答|請回答|请问|請問|다음)"
    rf"|[ >#]{{0,5}}{_LEAD}(?:{_OTHER} ?{_NOUN}|続いて)[^\n。]{{0,20}}(?:です"
    rf"|ます|{_TASK})(?:。|[ ]{{0,2}}(?=\n))"
    r"|[ >#]{0,5}(?:(?:ok(?:ay)?|now|so|great|good)[,.!] )?(?:(?:the )?next (?:one|up)"
    r"|try (?:this|another|the next)(?: one| question| problem)?|another one|one more(?: question)?"
    r"|bonus(?: question)?)[^\n.:?]{0,16}[:.?]"
    rf"|[ >]{{0,3}}(?:以下|次)の[^\n]{{0,24}}{_NOUN}に[^\n]{{0,40}}{_TASK}"
    r"|[ >]{0,3}(?:あなたは[^\n]{2,40}(?:です|として)|you are an? [^\n]{2,60}(?:expert|assistant|lawyer"
    r"|professor)\b)"
    rf"|[ >#]{{0,5}}(?:here(?:'s| is| are)|(?:now,? |ok,? |so,? )?let(?:'s| us) (?:try|do|look at"
    rf"|move on to)|now for"
    rf"|moving on to)[^\n]{{0,12}}"
    r" (?:another|next|new|more|different|following)\b(?! (?:way|look|point|reason|argument|step|angle"
    r"|perspective))"
    rf"|[ >#]{{0,5}}(?:now,? )?(?:please )?(?:answer|solve) the (?:following|next) {_NOUN}"
    # the next turn of the one who answers
    r"|[ #>(\[]{0,4}(?:assistant|アシスタント|回答者|model|助手)[ )\]]{0,2}(?::|(?=\n))"
    # a heading in brackets, and what it asks in the same line
    rf"| {{0,3}}[(<\[](?:{_NOUN}|{_CHINESE_NOUN}|例題?|例) ?[0-9]{{0,2}}[)>\]][: ]{{0,2}}(?=\n?[^\n]{{4}})"
    r"|[ >#]{0,5}(?:now|next),? (?:please )?(?:consider|try|take|answer|solve)[^\n]{0,24} (?:question"
    r"|problem|scenario|case)\b"
    # a line that asks, numbered or not
    r"|[ #>(]{0,4}(?:[0-9]{1,3} ?[.、):]{1,2} {0,2})?(?:下列|以下(?:哪|关于)|关于|(?:次"
    r"|以下)の[^\n、。]{0,6}?(?:うち"
    r"|中|記述|文|各文|説明|選択肢)"
    r"|which (?:of|one))[^\n]{1,160}?(?:どれ(?:か|ですか|でしょうか)|いずれ(?:か|ですか)|選(?:べ|びなさい"
    r"|択しなさい|択せよ|んでください)"
    r"|的是|\?)[ 。?()_]{0,8}(?=\n|\Z|a[.):、 ])"
    r"|[ #>]{0,4}[0-9]{1,2} ?[.、)] {0,2}(?:下列|以下哪|次の(?:うち|記述|文)|which of the)[^\n]{1,120}"
)
_FIRST = (
    "過予試小出学生受先教講お客顧相依弁司面部上こ最つ参せgkv"
    "<问次別他続新追関類練確演応以質問設例課題クユ利用提使指入そでさ续下另试練练题題类用请請关第あ回ア助사질문다"
    "tanofpsqyuhlmiewdb0-9вз¿câسप्ค\\[ほも"
)
"""With which signs a line begins that may hand over another question, bullets and brackets left out."""
NEXT = re.compile(
    # an answer line, by far the most common line of a loop, is ruled out first
    rf"\n(?!(?:回答|answer) ?:)(?=[ #>\-(\[]{{0,8}}[{_FIRST}])(?:{_NEXT_LINE})"
)
SENTENCE_NEXT = re.compile(
    r"[。.](?<=[。.]) ?(?:次の|別の|続いての|next )(?:問題|質問|設問|question)[:、は]"
)
"""A sentence that hands over another question, in the line of the answer."""
ASKS = re.compile(
    # each begins with a sign and looks back at it, which lets the search skip ahead to these signs
    r"[どい選誰何以の述明](?:(?<=ど)れ(?:か|です|でしょう|を選)|(?<=い)ずれ(?:か|です|でしょう)"
    r"|(?<=選)(?:べ|びなさい|択せよ|択しなさい|んでください)|(?<=誰)(?:か|です)|(?<=何)[日年人月歳](?:か|です)"
    r"|(?<=以)内か|(?<=の)は(?<=[いるな]ものは)|(?<=述)は(?<=[いるな]記述は)|(?<=明)は(?<=[いるな]説明は))"
    r"[^\n。?:]{0,6}[。? )_]{0,6}(?=\n|\Z)"
)
"""The end of a line that asks for one of several choices, whatever it begins with."""
ASKED_AGAIN = re.compile(
    r"本当|改めて|あらためて|結局|果たして|はたして|再度|再び|もう一度|再検討|見直|考え直|本問|この問題|上記|では、"
)
"""What shows that a line asks the same question once more."""
ASKS_KEYS = early_keys(
    "どれ|いずれ|選べ|選びなさい|選択せよ|選択しなさい|選んで|誰か|誰です|何日|何年|何人|何月|何歳|以内か|ものは|記述は|説明は"
)
