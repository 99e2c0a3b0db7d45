/* SVMLight/LIBSVM text: `label index:value index:value ... # comment`, a sample a line. */
#include <twofold/impl/datasetimpl.h>
#include "../sys/mpifile.h"
#include "../sys/number.h"

/* ------------------------------------------------------------------ load */

/* This rank's rows while they are read. */
typedef struct {
  const char *path;
  PetscInt base; /* first index: 0, 1, or -1 where the whole file will tell */
  PetscInt nrows, *rowptr, *col;
  PetscScalar *val;
  PetscReal *label;
  PetscInt smallest, largest; /* index as written */
  TwofoldFault fault;
} Rows;

static PetscBool IsSpace(char c)
{
  return (PetscBool)(c == ' ' || (c >= '\t' && c <= '\r'));
}

static const char *SkipSpace(const char *s)
{
  while (IsSpace(*s)) s++;
  return s;
}

static PetscBool EndsWord(char c)
{
  return (PetscBool)(c == 0 || c == '#' || IsSpace(c));
}

/* Says what is wrong with the word at `word` in a line of the file. */
static void Complain(Rows *rows, PetscInt number, const char word[], const char format[], ...)
    PETSC_ATTRIBUTE_FORMAT(4, 5);

static void Complain(Rows *rows, PetscInt number, const char word[], const char format[], ...)
{
  char quoted[48], what[512];
  va_list arguments;

  va_start(arguments, format);
  (void)vsnprintf(what, sizeof(what), format, arguments);
  va_end(arguments);
  TwofoldFaultSet(&rows->fault, PETSC_ERR_FILE_UNEXPECTED, "%s:%" PetscInt_FMT ": '%s': %s", rows->path,
                  number, TwofoldQuoteWord(word, quoted), what);
}

/* Reads digits at *cursor and moves behind them; -1 where there are none, PETSC_MAX_INT where they are too
   many. */
static PetscInt ScanIndex(const char **cursor)
{
  const char *s = *cursor;
  PetscInt index = 0;

  if (*s < '0' || *s > '9') return -1;
  for (; *s >= '0' && *s <= '9'; s++) {
    const PetscInt digit = *s - '0';
    index = index > (PETSC_MAX_INT - digit) / 10 ? PETSC_MAX_INT : 10 * index + digit;
  }
  *cursor = s;
  return index;
}

/* An index must be a whole number, in range, and above `previous`, the one before it in the row (or -1). */
static PetscBool CheckIndex(Rows *rows, PetscInt number, const char word[], const char *behind,
                            PetscInt index, PetscInt previous)
{
  if (index < 0 || (*behind != ':' && !EndsWord(*behind)))
    Complain(rows, number, word,
             "the index is not a whole number of 0 or more; a line reads label index:value index:value ...");
  else if (*behind != ':')
    Complain(rows, number, word, "no colon; a line reads label index:value index:value ...");
  else if (index == PETSC_MAX_INT)
    Complain(rows, number, word, "the index is too large; number the features below %" PetscInt_FMT,
             PETSC_MAX_INT);
  else if (index < rows->base)
    Complain(rows, number, word, "index 0 where indices begin with 1; use -data_index_base 0");
  else if (index <= previous)
    Complain(rows, number, word,
             "comes after index %" PetscInt_FMT "; sort the line by index, each index once", previous);
  return (PetscBool)!rows->fault.code;
}

/* Reads one `index:value` at *cursor as entry k. */
static PetscBool ParseEntry(Rows *rows, PetscInt number, const char **cursor, PetscInt k, PetscInt previous)
{
  const char *const word = *cursor, *at = word;
  PetscReal value;

  const PetscInt index = ScanIndex(&at);
  if (!CheckIndex(rows, number, word, at, index, previous)) return PETSC_FALSE;
  at++;
  if (!TwofoldScanReal(&at, &value) || !EndsWord(*at) || PetscIsInfReal(value)) {
    Complain(rows, number, word, "the value is not a finite number; correct it or leave the entry out");
    return PETSC_FALSE;
  }
  rows->col[k] = index;
  rows->val[k] = value;
  *cursor = at;
  return PETSC_TRUE;
}

/* Adds the row of one line; blank lines and comments are none. */
static void ParseLine(Rows *rows, PetscInt number, const char line[])
{
  const char *const word = SkipSpace(line), *at = word;
  PetscInt k = rows->rowptr[rows->nrows], previous = -1;
  PetscReal label;

  if (*word == 0 || *word == '#') return;
  if (!TwofoldScanReal(&at, &label) || !EndsWord(*at) || PetscIsInfReal(label)) {
    Complain(rows, number, word, "the label is not a finite number; a line reads label index:value ...");
    return;
  }
  at = SkipSpace(at);
  if (!strncmp(at, "qid:", 4))
    while (!EndsWord(*at)) at++;
  for (at = SkipSpace(at); *at && *at != '#'; at = SkipSpace(at)) {
    if (!ParseEntry(rows, number, &at, k, previous)) return;
    previous = rows->col[k++];
  }
  if (k > rows->rowptr[rows->nrows]) {
    rows->smallest = PetscMin(rows->smallest, rows->col[rows->rowptr[rows->nrows]]);
    rows->largest = PetscMax(rows->largest, previous);
  }
  rows->label[rows->nrows] = label;
  rows->rowptr[++rows->nrows] = k;
}

/* No more entries than colons. */
static PetscInt64 CountColons(const TwofoldLines *lines)
{
  PetscInt64 count = 0;

  for (PetscInt i = 0; i < lines->nlines; i++)
    for (const char *s = strchr(lines->line[i], ':'); s; s = strchr(s + 1, ':')) count++;
  return count;
}

static PetscErrorCode ParseLines(const TwofoldLines *lines, Rows *rows)
{
  const PetscInt64 most = CountColons(lines);

  PetscFunctionBegin;
  if (most >= PETSC_MAX_INT) {
    TwofoldFaultSet(&rows->fault, PETSC_ERR_FILE_UNEXPECTED,
                    "%s: %" PetscInt64_FMT
                    " entries on one rank; use more ranks or PETSc with 64-bit indices",
                    rows->path, most);
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(PetscMalloc1(lines->nlines + 1, &rows->rowptr));
  PetscCall(PetscMalloc1(lines->nlines + 1, &rows->label));
  PetscCall(PetscMalloc1(most + 1, &rows->col));
  PetscCall(PetscMalloc1(most + 1, &rows->val));
  rows->rowptr[0] = 0;
  if (lines->first == 1 && lines->nlines && !strncmp(lines->line[0], "\x1f\x8b", 2))
    TwofoldFaultSet(&rows->fault, PETSC_ERR_FILE_UNEXPECTED,
                    "%s is compressed by gzip; SVMLight files are read as plain text: run gunzip first",
                    rows->path);
  for (PetscInt i = 0; i < lines->nlines && !rows->fault.code; i++)
    ParseLine(rows, lines->first + i, lines->line[i]);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Decides the first index by all ranks' rows and makes columns count from 0; *p is the number of columns. */
static PetscErrorCode SettleBase(MPI_Comm comm, Rows *rows, PetscInt *p)
{
  PetscInt mine[2] = {-rows->smallest, rows->largest}, all[2];

  PetscFunctionBegin;
  PetscCallMPI(MPI_Allreduce(mine, all, 2, MPIU_INT, MPI_MAX, comm));
  if (rows->base < 0) rows->base = all[0] == 0 ? 0 : 1;
  *p = all[1] < 0 ? 0 : all[1] - rows->base + 1;
  if (rows->base)
    for (PetscInt k = 0; k < rows->rowptr[rows->nrows]; k++) rows->col[k] -= rows->base;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode DataSetLoad_SVMLight(DataSet ds, const char path[])
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)ds);
  Rows rows = {.path = path, .base = ds->index_base, .smallest = PETSC_MAX_INT, .largest = -1};
  TwofoldLines lines;
  PetscInt n, p = 0;

  PetscFunctionBegin;
  PetscCall(TwofoldLinesRead(comm, path, &lines));
  PetscCall(ParseLines(&lines, &rows));
  PetscCall(TwofoldLinesDestroy(&lines));
  PetscCall(TwofoldFaultAgree(comm, &rows.fault));
  PetscCall(MPIU_Allreduce(&rows.nrows, &n, 1, MPIU_INT, MPI_SUM, comm));
  PetscCheck(n > 0, comm, PETSC_ERR_FILE_UNEXPECTED, "%s holds no samples", path);
  PetscCall(SettleBase(comm, &rows, &p));
  ds->index_base = rows.base;
  PetscCall(
      DataSetTakeRows_Private(ds, rows.nrows, rows.rowptr, rows.col, rows.val, rows.label, p, PETSC_FALSE));
  PetscCall(PetscFree(rows.label));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ write */

typedef struct {
  char *text;
  size_t n, capacity;
} Buffer;

/* Makes room for so many more bytes. */
static PetscErrorCode Reserve(Buffer *buffer, size_t bytes)
{
  PetscFunctionBegin;
  if (buffer->n + bytes > buffer->capacity) {
    buffer->capacity = PetscMax(buffer->n + bytes, buffer->capacity + buffer->capacity / 2);
    PetscCall(PetscRealloc(buffer->capacity, &buffer->text));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode FormatRow(DataSet ds, PetscInt i, Buffer *buffer)
{
  const size_t entry = 24 + TwofoldRealWidth; /* space, index, colon, value */
  const PetscInt begin = ds->rowptr[i], end = ds->rowptr[i + 1];

  PetscFunctionBegin;
  PetscCall(Reserve(buffer, TwofoldRealWidth + 1 + (size_t)(end - begin) * entry));
  char *at = buffer->text + buffer->n;
  at += TwofoldFormatReal(at, DataSetLabelValue_Private(ds, i));
  for (PetscInt k = begin; k < end; k++) {
    *at++ = ' ';
    at += TwofoldFormatIndex(at, (uint64_t)ds->col[k] + 1);
    *at++ = ':';
    at += TwofoldFormatReal(at, PetscRealPart(ds->val[k]));
  }
  *at++ = '\n';
  buffer->n = (size_t)(at - buffer->text);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode DataSetWrite_SVMLight(DataSet ds, const char path[])
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)ds);
  TwofoldFault fault = {0};
  Buffer buffer = {0};
  PetscInt64 mine, upto;
  MPI_File file;

  PetscFunctionBegin;
  PetscCall(TwofoldFileOpenWrite(comm, path, &file));
  for (PetscInt i = 0; i < ds->rows->n; i++) PetscCall(FormatRow(ds, i, &buffer));
  mine = (PetscInt64)buffer.n;
  PetscCallMPI(MPI_Scan(&mine, &upto, 1, MPIU_INT64, MPI_SUM, comm));
  TwofoldFileWriteAt(file, path, upto - mine, mine, buffer.text, &fault);
  PetscCall(PetscFree(buffer.text));
  PetscCall(TwofoldFileCloseWrite(comm, path, &file, &fault));
  PetscFunctionReturn(PETSC_SUCCESS);
}
