/* Separated values: a sample a line, dense, with the label in one of the columns. */
#include <twofold/impl/datasetimpl.h>
#include <ctype.h>
#include <strings.h>
#include "../sys/mpifile.h"
#include "../sys/number.h"

/* ------------------------------------------------------------------ fields of a line */

/* A field without its quotes and the blanks around it; within quotes "" still stands for ". */
typedef struct {
  const char *begin;
  size_t length;
  PetscBool quoted;
} Field;

typedef enum { FIELD_MORE, FIELD_LAST, FIELD_OPEN, FIELD_BEHIND } FieldEnd;

static const char *SkipBlanks(const char *s, char separator)
{
  while (*s != separator && isspace((unsigned char)*s)) s++;
  return s;
}

static PetscBool IsBlank(const char line[])
{
  return (PetscBool)(*SkipBlanks(line, 0) == 0);
}

/* The closing quote behind `s`, or the end of the line. */
static const char *FindQuote(const char *s)
{
  for (; *s; s++) {
    if (*s != '"') continue;
    if (s[1] != '"') return s;
    s++;
  }
  return s;
}

/* Takes the field at *cursor and moves to the next one; says what came behind it, or that its quotes are not
   closed or followed by more text. */
static FieldEnd NextField(const char **cursor, char separator, Field *field)
{
  const char *s = SkipBlanks(*cursor, separator);

  field->quoted = (PetscBool)(*s == '"');
  field->begin = s + (field->quoted ? 1 : 0);
  if (field->quoted) {
    s = FindQuote(field->begin);
    field->length = (size_t)(s - field->begin);
    if (!*s) return FIELD_OPEN;
    s = SkipBlanks(s + 1, separator);
    if (*s && *s != separator) return FIELD_BEHIND;
  } else {
    while (*s && *s != separator) s++;
    field->length = (size_t)(s - field->begin);
    while (field->length && isspace((unsigned char)field->begin[field->length - 1])) field->length--;
  }
  *cursor = *s ? s + 1 : s;
  return *s ? FIELD_MORE : FIELD_LAST;
}

/* Copies the field's text, of at most field.length bytes, and a 0. */
static void CopyField(Field field, char text[])
{
  size_t n = 0;

  for (size_t i = 0; i < field.length; i++) {
    text[n++] = field.begin[i];
    if (field.quoted && field.begin[i] == '"') i++;
  }
  text[n] = 0;
}

static PetscBool IsNumber(Field field, PetscReal *value)
{
  const char *at = field.begin;
  return (PetscBool)(field.length && TwofoldScanReal(&at, value) && at == field.begin + field.length);
}

/* Words for a value that is not there, or is no number one can compute with. */
static PetscBool IsMissing(Field field)
{
  const char *const words[] = {"",     "?",   "NA",   "N/A",  "NaN",     "-NaN",
                               "null", "inf", "-inf", "+inf", "infinity"};

  for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
    if (strlen(words[i]) == field.length && !strncasecmp(words[i], field.begin, field.length))
      return PETSC_TRUE;
  return PETSC_FALSE;
}

/* Shortened for a message, unprintable bytes as '?'. */
static const char *QuoteField(Field field, char quoted[48])
{
  const size_t longest = 40, n = PetscMin(field.length, longest);

  for (size_t i = 0; i < n; i++) quoted[i] = isprint((unsigned char)field.begin[i]) ? field.begin[i] : '?';
  strcpy(quoted + n, field.length > longest ? "..." : "");
  return quoted;
}

/* ------------------------------------------------------------------ columns */

enum { column_label = -1, column_dropped = -2 };

/* What the columns are: the same on every rank. */
typedef struct {
  MPI_Comm comm;
  const char *path;
  char separator;
  PetscInt first;   /* number of the first line that is not blank */
  PetscBool header; /* it holds names */
  PetscInt n, p;    /* columns, and those of them that are features */
  char **name;      /* of each column; empty without a header */
  PetscInt *role;   /* of each column: its feature, or one of the above */
} Columns;

/* Line k, counted from 0, of those that are not blank, on every rank: its number and text, or NULL. */
static PetscErrorCode ShareLine(MPI_Comm comm, const TwofoldLines *lines, PetscInt k, PetscInt *number,
                                char **text)
{
  PetscInt count = 0, before, found[2] = {-1, 0};
  const char *line = NULL;
  PetscMPIInt rank, owner, mine = -1;

  PetscFunctionBegin;
  *text = NULL;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  for (PetscInt i = 0; i < lines->nlines; i++) count += IsBlank(lines->line[i]) ? 0 : 1;
  PetscCallMPI(MPI_Scan(&count, &before, 1, MPIU_INT, MPI_SUM, comm));
  before -= count;
  for (PetscInt i = 0; i < lines->nlines && before <= k && !line; i++) {
    if (IsBlank(lines->line[i])) continue;
    if (before++ < k) continue;
    line = lines->line[i];
    found[0] = lines->first + i;
    PetscCall(PetscIntCast((PetscInt64)strlen(line) + 1, &found[1]));
    mine = rank;
  }
  PetscCallMPI(MPI_Allreduce(&mine, &owner, 1, MPI_INT, MPI_MAX, comm));
  if (owner < 0) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCallMPI(MPI_Bcast(found, 2, MPIU_INT, owner, comm));
  PetscCall(PetscMalloc1(found[1], text));
  if (rank == owner) PetscCall(PetscArraycpy(*text, line, found[1]));
  PetscCallMPI(MPI_Bcast(*text, (PetscMPIInt)found[1], MPI_CHAR, owner, comm));
  *number = found[0];
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The first of tab, semicolon and comma that occurs outside quotes: a comma may also be part of a number, and
   any of them of a text, but then the file has another separator and no need for quotes. */
static char DetectSeparator(const char line[])
{
  const char *const known = "\t;,";

  for (const char *c = known; *c; c++)
    for (const char *s = line; *s; s++) {
      if (*s == '"') s = FindQuote(s + 1);
      if (!*s) break;
      if (*s == *c) return *c;
    }
  return ',';
}

/* A first line is a header if no field of it is a number, or one is a text above a number; it is none where a
   value is missing. */
static PetscBool DetectHeader(const char first[], const char second[], char separator)
{
  PetscBool any = PETSC_FALSE, above = PETSC_FALSE;
  FieldEnd end = FIELD_MORE, end2 = second ? FIELD_MORE : FIELD_LAST;
  Field field, below;
  PetscReal x;

  while (end == FIELD_MORE) {
    const PetscBool both = (PetscBool)(end2 == FIELD_MORE);
    end = NextField(&first, separator, &field);
    if (both) end2 = NextField(&second, separator, &below);
    if (IsNumber(field, &x))
      any = PETSC_TRUE;
    else if (both && !IsMissing(field) && IsNumber(below, &x))
      above = PETSC_TRUE;
  }
  return (PetscBool)(!any || above);
}

/* Splits the first line into names. */
static PetscErrorCode NameColumns(Columns *columns, const char line[])
{
  FieldEnd end = FIELD_MORE;
  const char *at = line;
  Field field;

  PetscFunctionBegin;
  for (columns->n = 0; end == FIELD_MORE; columns->n++) end = NextField(&at, columns->separator, &field);
  PetscCheck(end == FIELD_LAST, columns->comm, PETSC_ERR_FILE_UNEXPECTED,
             "%s:%" PetscInt_FMT ": column %" PetscInt_FMT ": %s", columns->path, columns->first, columns->n,
             end == FIELD_OPEN ? "a quote is not closed on its line" : "text behind a closing quote");
  PetscCall(PetscCalloc1(columns->n, &columns->name));
  PetscCall(PetscCalloc1(columns->n, &columns->role));
  at = line;
  for (PetscInt j = 0; j < columns->n; j++) {
    (void)NextField(&at, columns->separator, &field);
    PetscCall(PetscCalloc1(field.length + 1, &columns->name[j]));
    if (columns->header) CopyField(field, columns->name[j]);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ColumnsDestroy(Columns *columns)
{
  PetscFunctionBegin;
  for (PetscInt j = 0; j < columns->n; j++) PetscCall(PetscFree(columns->name[j]));
  PetscCall(PetscFree(columns->name));
  PetscCall(PetscFree(columns->role));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Raises that there is no such column. Collective. */
static PetscErrorCode RefuseColumn(const Columns *columns, const char option[], const char wanted[])
{
  PetscInt best = PETSC_MAX_INT, closest = 0;

  PetscFunctionBegin;
  PetscCheck(columns->header, columns->comm, PETSC_ERR_FILE_UNEXPECTED,
             "%s %s: %s has no header line (or give -data_csv_header), so say 1 to %" PetscInt_FMT, option,
             wanted, columns->path, columns->n);
  for (PetscInt j = 0; j < columns->n; j++) {
    const PetscInt distance = TwofoldEditDistance(wanted, columns->name[j]);
    if (distance >= best) continue;
    best = distance;
    closest = j;
  }
  SETERRQ(columns->comm, PETSC_ERR_FILE_UNEXPECTED,
          "%s %s: %s has no such column among its %" PetscInt_FMT
          " (closest: %s; columns also go by number, from 1)",
          option, wanted, columns->path, columns->n, columns->name[closest]);
}

/* The column of this name, else of this number (from 1). Collective. */
static PetscErrorCode FindColumn(const Columns *columns, const char option[], const char wanted[],
                                 PetscInt *column)
{
  char *behind;

  PetscFunctionBegin;
  *column = -1;
  for (PetscInt j = 0; columns->header && j < columns->n; j++) {
    if (strcmp(columns->name[j], wanted) != 0) continue;
    PetscCheck(*column < 0, columns->comm, PETSC_ERR_FILE_UNEXPECTED,
               "%s %s: columns %" PetscInt_FMT " and %" PetscInt_FMT
               " of %s have that name; give the number of the one you mean",
               option, wanted, *column + 1, j + 1, columns->path);
    *column = j;
  }
  if (*column >= 0) PetscFunctionReturn(PETSC_SUCCESS);
  const long long number = strtoll(wanted, &behind, 10);
  if (*wanted && !*behind && number >= 1 && number <= columns->n)
    *column = (PetscInt)number - 1;
  else
    PetscCall(RefuseColumn(columns, option, wanted));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode DropColumns(Columns *columns, const char list[])
{
  char **word;
  int n;

  PetscFunctionBegin;
  PetscCall(PetscStrToArray(list, ',', &n, &word));
  for (int i = 0; i < n; i++) {
    PetscInt j;
    PetscCall(FindColumn(columns, "-data_csv_drop", SkipBlanks(word[i], 0), &j));
    columns->role[j] = column_dropped;
  }
  PetscCall(PetscStrToArrayDestroy(n, word));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The column of the labels: the one that is asked for, else the first of these names, else the last column.
 */
static PetscErrorCode ChooseLabel(Columns *columns, const char wanted[])
{
  const char *const usual[] = {"label", "class", "target", "y", "status"};
  PetscInt label = -1;

  PetscFunctionBegin;
  if (wanted[0]) PetscCall(FindColumn(columns, "-data_label", wanted, &label));
  for (size_t i = 0; label < 0 && i < sizeof(usual) / sizeof(usual[0]); i++)
    for (PetscInt j = 0; label < 0 && j < columns->n; j++)
      if (!columns->role[j] && !strcasecmp(columns->name[j], usual[i])) label = j;
  for (PetscInt j = columns->n - 1; label < 0 && j >= 0; j--)
    if (!columns->role[j]) label = j;
  PetscCheck(label >= 0 && !columns->role[label], columns->comm, PETSC_ERR_FILE_UNEXPECTED,
             "%s: -data_csv_drop leaves out %s", columns->path,
             label < 0 ? "every column" : "the column of the labels");
  columns->role[label] = column_label;
  columns->p = 0;
  for (PetscInt j = 0; j < columns->n; j++)
    if (!columns->role[j]) columns->role[j] = columns->p++;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ColumnsCreate(DataSet ds, const TwofoldLines *lines, Columns *columns)
{
  char *first, *second;
  PetscInt number;

  PetscFunctionBegin;
  PetscCall(ShareLine(columns->comm, lines, 0, &columns->first, &first));
  PetscCall(ShareLine(columns->comm, lines, 1, &number, &second));
  PetscCheck(first, columns->comm, PETSC_ERR_FILE_UNEXPECTED, "%s holds no samples", columns->path);
  columns->separator = ds->csv_separator ? ds->csv_separator : DetectSeparator(first);
  columns->header =
      ds->csv_header < 0 ? DetectHeader(first, second, columns->separator) : (PetscBool)(ds->csv_header > 0);
  PetscCheck(second || !columns->header, columns->comm, PETSC_ERR_FILE_UNEXPECTED,
             "%s holds no samples, only a header (or give -data_csv_header false)", columns->path);
  PetscCall(NameColumns(columns, first));
  PetscCall(PetscFree(first));
  PetscCall(PetscFree(second));
  PetscCall(DropColumns(columns, ds->csv_drop));
  PetscCall(ChooseLabel(columns, ds->label_column));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ rows */

/* This rank's rows while they are read; labels stand in the text of the lines. */
typedef struct {
  const Columns *columns;
  PetscInt n, *rowptr, *col;
  PetscScalar *val;
  Field *label;
  TwofoldFault fault;
} Rows;

/* Says what is wrong with a field: its line, its column and that column's name. */
static void Complain(Rows *rows, PetscInt number, PetscInt column, const char format[], ...)
    PETSC_ATTRIBUTE_FORMAT(4, 5);

static void Complain(Rows *rows, PetscInt number, PetscInt column, const char format[], ...)
{
  const Columns *const c = rows->columns;
  char what[512], name[96] = "";
  va_list arguments;

  va_start(arguments, format);
  (void)vsnprintf(what, sizeof(what), format, arguments);
  va_end(arguments);
  if (column < c->n && c->name[column][0]) snprintf(name, sizeof(name), " (%.80s)", c->name[column]);
  TwofoldFaultSet(&rows->fault, PETSC_ERR_FILE_UNEXPECTED,
                  "%s:%" PetscInt_FMT ": column %" PetscInt_FMT "%s: %s", c->path, number, column + 1, name,
                  what);
}

/* What to write after -data_csv_drop: the column's name, or its number where it has none that would do. */
static const char *NameToDrop(const Columns *columns, PetscInt column, char text[32])
{
  const char *const name = columns->name[column];

  if (name[0] && strlen(name) < 80 && !strpbrk(name, ", \"'")) return name;
  snprintf(text, 32, "%" PetscInt_FMT, column + 1);
  return text;
}

/* Stores a feature as entry *k; zeros are not stored. */
static void TakeFeature(Rows *rows, PetscInt number, PetscInt column, Field field, PetscInt *k)
{
  char quoted[48], drop[32];
  PetscReal x;

  if (!field.length)
    Complain(rows, number, column,
             "the field is empty; fill it in, or leave the line out, or the column by -data_csv_drop %s",
             NameToDrop(rows->columns, column, drop));
  else if (!IsNumber(field, &x) || PetscIsInfReal(x))
    Complain(rows, number, column,
             "'%s' is not a %s; correct it, or leave the column out by -data_csv_drop %s",
             QuoteField(field, quoted), IsNumber(field, &x) || IsMissing(field) ? "finite number" : "number",
             NameToDrop(rows->columns, column, drop));
  else if (x != 0) {
    rows->col[*k] = rows->columns->role[column];
    rows->val[(*k)++] = x;
  }
}

/* Any text that says something will do, but no number that does not. */
static void TakeLabel(Rows *rows, PetscInt number, PetscInt column, Field field)
{
  char quoted[48];
  PetscReal x;

  if (IsMissing(field) || (IsNumber(field, &x) && PetscIsInfReal(x)))
    Complain(rows, number, column, "'%s' is no label; correct it, or name the right column by -data_label",
             QuoteField(field, quoted));
  rows->label[rows->n] = field;
}

/* Adds the row of one line. */
static void ParseLine(Rows *rows, PetscInt number, const char line[])
{
  const Columns *const c = rows->columns;
  PetscInt k = rows->rowptr[rows->n], j = 0;
  FieldEnd end = FIELD_MORE;
  Field field;

  for (; end == FIELD_MORE; j++) {
    end = NextField(&line, c->separator, &field);
    if (end == FIELD_OPEN)
      Complain(rows, number, j, "a quote is not closed on its line");
    else if (end == FIELD_BEHIND)
      Complain(rows, number, j, "text behind a closing quote (a quote within quotes is written twice)");
    else if (j < c->n && c->role[j] == column_label)
      TakeLabel(rows, number, j, field);
    else if (j < c->n && c->role[j] >= 0)
      TakeFeature(rows, number, j, field, &k);
  }
  if (end == FIELD_LAST && j != c->n) { /* the cause of whatever else was wrong */
    rows->fault.code = 0;
    TwofoldFaultSet(&rows->fault, PETSC_ERR_FILE_UNEXPECTED,
                    "%s:%" PetscInt_FMT ": %" PetscInt_FMT " fields, but the first line (%" PetscInt_FMT
                    ") has %" PetscInt_FMT "; fields are separated by %s",
                    c->path, number, j, c->first, c->n,
                    c->separator == '\t' ? "tabs" : (char[4]){'\'', c->separator, '\'', 0});
  }
  rows->rowptr[++rows->n] = k;
}

static PetscErrorCode ParseLines(const TwofoldLines *lines, Rows *rows)
{
  const Columns *const c = rows->columns;
  const PetscInt64 most = (PetscInt64)lines->nlines * c->p;

  PetscFunctionBegin;
  if (most >= PETSC_MAX_INT) {
    TwofoldFaultSet(&rows->fault, PETSC_ERR_FILE_UNEXPECTED,
                    "%s: %" PetscInt64_FMT
                    " entries on one rank; use more ranks or PETSc with 64-bit indices",
                    c->path, most);
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(PetscMalloc1(lines->nlines + 1, &rows->rowptr));
  PetscCall(PetscMalloc1(lines->nlines + 1, &rows->label));
  PetscCall(PetscMalloc1(most + 1, &rows->col));
  PetscCall(PetscMalloc1(most + 1, &rows->val));
  rows->rowptr[0] = 0;
  for (PetscInt i = 0; i < lines->nlines && !rows->fault.code; i++)
    if (!IsBlank(lines->line[i]) && !(c->header && lines->first + i == c->first))
      ParseLine(rows, lines->first + i, lines->line[i]);
  const size_t n = (size_t)rows->rowptr[rows->n] + 1;
  PetscCall(PetscRealloc(n * sizeof(*rows->col), &rows->col));
  PetscCall(PetscRealloc(n * sizeof(*rows->val), &rows->val));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ labels */

static int CompareNames(const void *a, const void *b)
{
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorts names as bytes and drops repetitions; returns the number left. */
static PetscInt SortUnique(PetscInt n, const char *name[])
{
  PetscInt m = 0;

  qsort(name, (size_t)n, sizeof(*name), CompareNames);
  for (PetscInt i = 0; i < n; i++)
    if (i == 0 || strcmp(name[i], name[m - 1]) != 0) name[m++] = name[i];
  return m;
}

/* Names, packed one behind another with a 0 each. */
typedef struct {
  char *text;
  const char **name;
  PetscInt n;
} Names;

/* All ranks' distinct names on every rank. Collective. */
static PetscErrorCode GatherNames(MPI_Comm comm, PetscInt n, const char *const name[], Names *all)
{
  PetscMPIInt size, mine = 0, total = 0, *count, *start;
  char *packed;
  size_t bytes = 0;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_size(comm, &size));
  for (PetscInt i = 0; i < n; i++) bytes += strlen(name[i]) + 1;
  PetscCall(PetscMalloc1(bytes + 1, &packed));
  for (PetscInt i = 0; i < n; i++) {
    strcpy(packed + mine, name[i]);
    mine += (PetscMPIInt)strlen(name[i]) + 1;
  }
  PetscCall(PetscMalloc2(size, &count, size, &start));
  PetscCallMPI(MPI_Allgather(&mine, 1, MPI_INT, count, 1, MPI_INT, comm));
  for (PetscMPIInt r = 0; r < size; r++) {
    start[r] = total;
    total += count[r];
  }
  PetscCall(PetscMalloc1(total + 1, &all->text));
  PetscCallMPI(MPI_Allgatherv(packed, mine, MPI_CHAR, all->text, count, start, MPI_CHAR, comm));
  PetscCall(PetscFree2(count, start));
  PetscCall(PetscFree(packed));
  all->n = 0;
  for (PetscMPIInt i = 0; i < total; i++) all->n += all->text[i] == 0;
  PetscCall(PetscMalloc1(all->n + 1, &all->name));
  const char *at = all->text;
  for (PetscInt k = 0; k < all->n; k++, at += strlen(at) + 1) all->name[k] = at;
  all->n = SortUnique(all->n, all->name);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Texts become classes: the distinct ones, sorted as bytes, count from 0. */
static PetscErrorCode LabelsByName(const Rows *rows, PetscReal y[], Names *classes)
{
  const MPI_Comm comm = rows->columns->comm;
  const PetscInt most = 4096;
  const size_t longest = 1 << 20;
  TwofoldFault fault = {0};
  size_t bytes = 0, distinct = 0;
  const char **name, **sorted;
  char *text;

  PetscFunctionBegin;
  for (PetscInt i = 0; i < rows->n; i++) bytes += rows->label[i].length + 1;
  PetscCall(PetscMalloc3(bytes + 1, &text, rows->n + 1, &name, rows->n + 1, &sorted));
  char *at = text;
  for (PetscInt i = 0; i < rows->n; i++) {
    CopyField(rows->label[i], at);
    name[i] = sorted[i] = at;
    at += rows->label[i].length + 1;
  }
  const PetscInt n = SortUnique(rows->n, sorted);
  for (PetscInt k = 0; k < n; k++) distinct += strlen(sorted[k]);
  if (n > most || distinct > longest)
    TwofoldFaultSet(&fault, PETSC_ERR_FILE_UNEXPECTED,
                    "%s: the labels are more than %" PetscInt_FMT
                    " different texts, or long ones; name the right column by -data_label",
                    rows->columns->path, most);
  PetscCall(TwofoldFaultAgree(comm, &fault));
  PetscCall(GatherNames(comm, n, sorted, classes));
  for (PetscInt i = 0; i < rows->n; i++) {
    const char **const found =
        bsearch(&name[i], classes->name, (size_t)classes->n, sizeof(*name), CompareNames);
    y[i] = (PetscReal)(found - classes->name);
  }
  PetscCall(PetscFree3(text, name, sorted));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Numbers stay what they are, unless a label of the file is none: then all are names. */
static PetscErrorCode TakeLabels(const Rows *rows, PetscReal y[], Names *classes)
{
  int texts = 0;

  PetscFunctionBegin;
  *classes = (Names){0};
  for (PetscInt i = 0; i < rows->n; i++) texts |= !IsNumber(rows->label[i], &y[i]);
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &texts, 1, MPI_INT, MPI_LOR, rows->columns->comm));
  if (texts) PetscCall(LabelsByName(rows, y, classes));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* For DataSetView(): which column the labels are from. */
static PetscErrorCode NameLabel(DataSet ds, const Columns *columns, PetscInt column)
{
  char text[128];

  PetscFunctionBegin;
  PetscCall(PetscSNPrintf(text, sizeof(text), "column %" PetscInt_FMT "%s%.80s", column + 1,
                          columns->header ? ", " : "", columns->name[column]));
  PetscCall(PetscStrallocpy(text, &ds->labelname));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode DataSetLoad_CSV(DataSet ds, const char path[])
{
  Columns columns = {.comm = PetscObjectComm((PetscObject)ds), .path = path};
  Rows rows = {.columns = &columns};
  TwofoldLines lines;
  PetscReal *y;
  Names classes;

  PetscFunctionBegin;
  PetscCall(TwofoldLinesRead(columns.comm, path, &lines));
  PetscCall(ColumnsCreate(ds, &lines, &columns));
  PetscCall(ParseLines(&lines, &rows));
  PetscCall(TwofoldFaultAgree(columns.comm, &rows.fault));
  PetscCall(PetscMalloc1(rows.n + 1, &y));
  PetscCall(TakeLabels(&rows, y, &classes));
  PetscCall(TwofoldLinesDestroy(&lines));
  PetscCall(PetscFree(rows.label));
  PetscCall(DataSetTakeRows_Private(ds, rows.n, rows.rowptr, rows.col, rows.val, y, columns.p, PETSC_TRUE));
  PetscCall(PetscFree(y));
  if (classes.n) PetscCall(PetscCalloc1(ds->c, &ds->classname));
  for (PetscInt k = 0; k < classes.n; k++) PetscCall(PetscStrallocpy(classes.name[k], &ds->classname[k]));
  for (PetscInt j = 0; j < columns.n; j++)
    if (columns.role[j] == column_label) PetscCall(NameLabel(ds, &columns, j));
  PetscCall(PetscFree(classes.name));
  PetscCall(PetscFree(classes.text));
  PetscCall(ColumnsDestroy(&columns));
  PetscFunctionReturn(PETSC_SUCCESS);
}
