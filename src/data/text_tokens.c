/* A document's text to token counts. Bytes are read as Latin-1, where case, white space and word characters
   are as Unicode has them. */
#include "text.h"

typedef struct {
  char *begin, *end;
} Span;

/* ------------------------------------------------------------------ what is dropped from a message */

static inline PetscBool IsSpace(char byte)
{
  const unsigned char c = (unsigned char)byte;
  return (PetscBool)((c >= 0x09 && c <= 0x0d) || (c >= 0x1c && c <= 0x20) || c == 0x85 || c == 0xa0);
}

static Span Trim(Span text)
{
  while (text.begin < text.end && IsSpace(text.begin[0])) text.begin++;
  while (text.begin < text.end && IsSpace(text.end[-1])) text.end--;
  return text;
}

/* What follows the first blank line; nothing where there is none. */
static Span DropHeader(Span text)
{
  for (char *at = text.begin; (at = memchr(at, '\n', (size_t)(text.end - at))); at++)
    if (at + 1 < text.end && at[1] == '\n') return (Span){at + 2, text.end};
  return (Span){text.end, text.end};
}

/* A line of nothing or hyphens alone, as signatures begin. */
static PetscBool IsRule(Span line)
{
  line = Trim(line);
  while (line.begin < line.end && line.begin[0] == '-') line.begin++;
  return (PetscBool)(line.begin == line.end);
}

/* What precedes the last rule; all of the text, untrimmed, where there is no rule below the first line. The
   trimmed text's first line may begin with a quotation mark where the untrimmed one's does not. */
static Span DropFooter(Span text)
{
  const Span body = Trim(text);

  for (char *end = body.end;;) {
    char *begin = end;
    while (begin > body.begin && begin[-1] != '\n') begin--;
    if (begin == body.begin) return text;
    if (IsRule((Span){begin, end})) return (Span){body.begin, begin - 1};
    end = begin - 1;
  }
}

static PetscBool StartsWith(Span text, const char word[])
{
  const size_t length = strlen(word);
  return (PetscBool)((size_t)(text.end - text.begin) >= length && !memcmp(text.begin, word, length));
}

static PetscBool EndsWith(Span text, const char word[])
{
  const size_t length = strlen(word);
  return (PetscBool)((size_t)(text.end - text.begin) >= length && !memcmp(text.end - length, word, length));
}

/* A quotation or the line that introduces one. Looking for the rare byte of each phrase is what makes it
   fast. */
static PetscBool IsQuotation(Span line)
{
  if (StartsWith(line, ">") || StartsWith(line, "|") || StartsWith(line, "In article") ||
      StartsWith(line, "Quoted from"))
    return PETSC_TRUE;
  for (char *at = line.begin; (at = memchr(at, ':', (size_t)(line.end - at))); at++) {
    const Span before = {line.begin, at};
    if (EndsWith(before, "writes") || EndsWith(before, "wrote") || EndsWith(before, "says") ||
        EndsWith(before, "said"))
      return PETSC_TRUE;
  }
  for (char *at = line.begin; (at = memchr(at, 'w', (size_t)(line.end - at))); at++)
    if (StartsWith((Span){at, line.end}, "writes in")) return PETSC_TRUE;
  return PETSC_FALSE;
}

/* ------------------------------------------------------------------ the dictionary */

/* FNV-1a */
static const uint32_t hash_start = 2166136261u;

static inline uint32_t HashOn(uint32_t hash, unsigned char c)
{
  return (hash ^ c) * 16777619u;
}

/* Letters, digits and the underscore, and those of Latin-1: ordinals, superscripts, micro, fractions. */
static unsigned char WordCharacter(unsigned char c)
{
  if ((c >= 'A' && c <= 'Z') || (c >= 0xc0 && c <= 0xde && c != 0xd7)) return (unsigned char)(c + 0x20);
  if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_') return c;
  if ((c >= 0xdf && c != 0xf7) || (c >= 0xbc && c <= 0xbe)) return c;
  return c == 0xaa || c == 0xb2 || c == 0xb3 || c == 0xb5 || c == 0xb9 || c == 0xba ? c : 0;
}

PetscErrorCode TextDictionaryCreate_Private(TextDictionary *dict)
{
  PetscFunctionBegin;
  dict->n = 0;
  dict->allocated = 4096;
  dict->used = 0;
  dict->room = 65536;
  dict->nslots = 4 * dict->allocated;
  PetscCall(PetscMalloc1(dict->allocated, &dict->token));
  PetscCall(PetscMalloc1(dict->room, &dict->arena));
  PetscCall(PetscMalloc1(dict->nslots, &dict->slot));
  for (PetscInt s = 0; s < dict->nslots; s++) dict->slot[s] = -1;
  for (int c = 0; c < 256; c++) dict->word[c] = WordCharacter((unsigned char)c);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TextDictionaryDestroy_Private(TextDictionary *dict)
{
  PetscFunctionBegin;
  PetscCall(PetscFree(dict->token));
  PetscCall(PetscFree(dict->arena));
  PetscCall(PetscFree(dict->slot));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The slot of a token: its own, or the free one where it belongs. */
static PetscInt FindSlot(const TextDictionary *dict, const char text[], PetscInt length, uint32_t hash)
{
  PetscInt s = (PetscInt)(hash & (uint32_t)(dict->nslots - 1));

  for (; dict->slot[s] >= 0; s = (s + 1) & (dict->nslots - 1)) {
    const TextToken *const t = &dict->token[dict->slot[s]];
    if (t->hash == hash && t->length == length && !memcmp(dict->arena + t->at, text, (size_t)length)) break;
  }
  return s;
}

/* Twice the slots and tokens; tokens are distinct, so that each goes to the first free slot. */
static PetscErrorCode Enlarge(TextDictionary *dict)
{
  PetscFunctionBegin;
  PetscCall(PetscIntMultError(2, dict->nslots, &dict->nslots));
  dict->allocated *= 2;
  PetscCall(PetscRealloc((size_t)dict->allocated * sizeof(*dict->token), &dict->token));
  PetscCall(PetscFree(dict->slot));
  PetscCall(PetscMalloc1(dict->nslots, &dict->slot));
  for (PetscInt s = 0; s < dict->nslots; s++) dict->slot[s] = -1;
  for (PetscInt i = 0; i < dict->n; i++) {
    PetscInt s = (PetscInt)(dict->token[i].hash & (uint32_t)(dict->nslots - 1));
    while (dict->slot[s] >= 0) s = (s + 1) & (dict->nslots - 1);
    dict->slot[s] = i;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Insert(TextDictionary *dict, const char text[], PetscInt length, uint32_t hash)
{
  PetscFunctionBegin;
  if (dict->n == dict->allocated) PetscCall(Enlarge(dict));
  if (dict->used + (size_t)length > dict->room) {
    dict->room = 2 * dict->room + (size_t)length;
    PetscCall(PetscRealloc(dict->room, &dict->arena));
  }
  dict->slot[FindSlot(dict, text, length, hash)] = dict->n;
  dict->token[dict->n++] = (TextToken){.at = dict->used, .length = length, .hash = hash, .newest = -1};
  PetscCall(PetscMemcpy(dict->arena + dict->used, text, (size_t)length));
  dict->used += (size_t)length;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TextDictionaryDefine_Private(TextDictionary *dict, DataSetVocabulary vocabulary)
{
  const char *at = vocabulary->text, *const end = at + vocabulary->bytes;

  PetscFunctionBegin;
  for (PetscInt i = 0; at < end; i++) {
    const char *const newline = memchr(at, '\n', (size_t)(end - at));
    PetscInt length;
    uint32_t hash = hash_start;
    PetscCall(PetscIntCast(newline - at, &length));
    for (PetscInt k = 0; k < length; k++) hash = HashOn(hash, (unsigned char)at[k]);
    PetscCall(Insert(dict, at, length, hash));
    dict->token[dict->n - 1].df = vocabulary->df[i];
    at = newline + 1;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ rows */

PetscErrorCode TextRowsCreate_Private(PetscInt n, TextRows *rows)
{
  PetscFunctionBegin;
  rows->n = 0;
  rows->allocated = 65536;
  PetscCall(PetscMalloc1(n + 1, &rows->rowptr));
  PetscCall(PetscMalloc1(rows->allocated, &rows->col));
  PetscCall(PetscMalloc1(rows->allocated, &rows->val));
  rows->rowptr[0] = 0;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Adds one to the count of a token in the row that ends at *end. */
static PetscErrorCode CountToken(TextDictionary *dict, TextRows *rows, Span text, uint32_t hash,
                                 PetscInt *end)
{
  PetscInt length, s;

  PetscFunctionBegin;
  PetscCall(PetscIntCast(text.end - text.begin, &length));
  s = FindSlot(dict, text.begin, length, hash);
  if (dict->slot[s] < 0) {
    PetscCall(Insert(dict, text.begin, length, hash));
    s = FindSlot(dict, text.begin, length, hash);
  }
  TextToken *const token = &dict->token[dict->slot[s]];
  if (token->newest < rows->rowptr[rows->n]) { /* first time in this row */
    if (*end == rows->allocated) {
      PetscCall(PetscIntMultError(2, rows->allocated, &rows->allocated));
      PetscCall(PetscRealloc((size_t)rows->allocated * sizeof(*rows->col), &rows->col));
      PetscCall(PetscRealloc((size_t)rows->allocated * sizeof(*rows->val), &rows->val));
    }
    token->newest = (*end)++;
    rows->col[token->newest] = dict->slot[s];
    rows->val[token->newest] = 0;
  }
  rows->val[token->newest] += 1;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Counts the runs of two or more word characters, which are set to lower case and hashed in one pass. */
static PetscErrorCode CountLine(TextDictionary *dict, TextRows *rows, Span line, PetscInt *end)
{
  unsigned char c;

  PetscFunctionBegin;
  for (char *at = line.begin; at < line.end;) {
    char *const begin = at;
    uint32_t hash = hash_start;
    for (; at < line.end && (c = dict->word[(unsigned char)*at]); at++) {
      *at = (char)c;
      hash = HashOn(hash, c);
    }
    if (at - begin >= 2) PetscCall(CountToken(dict, rows, (Span){begin, at}, hash, end));
    while (at < line.end && !dict->word[(unsigned char)*at]) at++;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TextAddDocument_Private(TextDictionary *dict, TextRows *rows, char text[], size_t length,
                                       PetscBool defines)
{
  const Span body = DropFooter(DropHeader((Span){text, text + length}));
  PetscInt end = rows->rowptr[rows->n];

  PetscFunctionBegin;
  for (char *at = body.begin; at < body.end;) {
    char *const newline = memchr(at, '\n', (size_t)(body.end - at));
    const Span line = {at, newline ? newline : body.end};
    if (!IsQuotation(line)) PetscCall(CountLine(dict, rows, line, &end));
    at = line.end + 1;
  }
  if (defines)
    for (PetscInt k = rows->rowptr[rows->n]; k < end; k++) dict->token[rows->col[k]].df++;
  rows->rowptr[++rows->n] = end;
  PetscFunctionReturn(PETSC_SUCCESS);
}
