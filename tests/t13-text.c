/* Text corpora: the rules for documents, the vocabulary of the training part, order, weights and refusals,
   against what was worked out by hand. */
#include "files.h"
#include <twofold/impl/datasetimpl.h>
#include <sys/stat.h>

typedef struct {
  const char *path, *text; /* text is NULL for a folder */
} File;

/* Folders and files out of order, and among them what a reader must ignore. */
static const File Files[] = {
    {"mini", NULL},
    {"mini/x-test", NULL},
    {"mini/x-test/gamma", NULL},
    {"mini/x-test/gamma/1", "h: h\n\nunseen words_never\n"},
    {"mini/x-test/gamma/2", ""},
    {"mini/x-test/alpha", NULL},
    {"mini/x-test/alpha/1", "h: h\n\ncat UNSEEN cat kept\n"},
    {"mini/x-train", NULL},
    {"mini/x-train/README", "h: h\n\nfile beside the classes\n"},
    {"mini/x-train/beta", NULL},
    /* quotations: each phrase, and lines that only look like one */
    {"mini/x-train/beta/1", "h: h\n\nJohn writes:\n> quoted one\n| quoted two\nIn article <1> foo\n"
                            "Quoted from bar\nhe said: no\nshe says: yes\nthey wrote: maybe\n"
                            "who writes in nothing\n >not quoted\nin article\nSAID: it writes\nfin\n"},
    /* a rule trims the text above it, so that the first line becomes a quotation ... */
    {"mini/x-train/beta/2", "h: h\n\n  > gone one\nkept\n\nsign off\n"},
    /* ... and without a rule it is none */
    {"mini/x-train/beta/3", "h: h\n\n  > mat one\nkept\n"},
    {"mini/x-train/alpha", NULL},
    /* a rule in the first line */
    {"mini/x-train/alpha/a", "h: h\n\n\n ---- \nkept words\n"},
    /* a signature */
    {"mini/x-train/alpha/Z", "h: h\n\ndog_house 9to5 __\n--\nsig one"},
    {"mini/x-train/alpha/9", "From: nobody\nno blank line\n"},
    {"mini/x-train/alpha/10", "From: cat\nLines: 2\n\nThe cat sat on THE mat, a b c _ 7\n"},
    /* the last rule counts, white space is Latin-1's, "- -" is no rule */
    {"mini/x-train/alpha/b", "h: h\n\nthe mat\n-\nsat\n- -\nsat\n\x85--\xa0\x1f\nsig one\n\n"},
    /* letters, ordinals, superscripts, micro, fractions; not times, division and other signs */
    {"mini/x-train/alpha/c",
     "h: h\n\n\xc9T\xc9 na\xefve \xd7x \xb5m \xbd\xbc x\xb2 \xaa\xba \xf7\xf7 \xdf\xff "
     "\xc0\xd0\xde \xd6\xd8 \xb3\xb9\xbe \xa9\xae\xab\xb4\xbb\xbf"},
    {"mini/x-train/alpha/.hidden", "h: h\n\nhidden file\n"},
    {"mini/x-train/alpha/nested", NULL},
    {"mini/x-train/alpha/nested/1", "h: h\n\nnested document\n"},
    {"mini/x-train/.svn", NULL},
    {"mini/x-train/.svn/1", "h: h\n\nhidden folder\n"},
    {"mini/x-train/empty", NULL},
    {"void", NULL},
    {"hollow", NULL},
    {"hollow/a", NULL},
    {"mute", NULL},
    {"mute/a", NULL},
    {"mute/a/1", "h: h\n\na b c\n"},
    {"untrained", NULL},
    {"untrained/x-train", NULL},
    {"untrained/x-train/a", NULL},
    {"untrained/x-test", NULL},
    {"untrained/x-test/a", NULL},
    {"untrained/x-test/a/1", "h: h\n\nsome words\n"},
    {"wordless", NULL},
    {"wordless/x-train", NULL},
    {"wordless/x-train/a", NULL},
    {"wordless/x-train/a/1", ""},
    {"wordless/x-test", NULL},
    {"wordless/x-test/a", NULL},
    {"wordless/x-test/a/1", "h: h\n\nsome words\n"},
    {"locked", NULL},
    {"locked/a", NULL},
    {"locked/a/1", "h: h\n\nsome words\n"},
    {"locked/a/2", "h: h\n\nsome words\n"},
    {"numbers", NULL},
    {"numbers/0", NULL},
    {"numbers/1", NULL},
    {"numbers/2", NULL},
    {"bytes", NULL},
    {"bytes/a", NULL},
};

typedef struct {
  const char *path;
  PetscInt n, nfirst, p;
  const char *vocabulary; /* in order, between spaces */
  PetscInt label[12];
  const char *row[12]; /* words as often as they count */
} Expected;

static const char *const ClassNames[] = {"alpha", "beta", "gamma"};

static const Expected TwoParts = {
    "mini",
    12,
    9,
    29,
    " 9to5 __ article cat dog_house fin in it kept mat na\xefve not on one quoted said sat the words writes "
    "x\xb2 \xaa\xba \xb3\xb9\xbe \xb5m \xbd\xbc \xdf\xff \xe0\xf0\xfe \xe9t\xe9 \xf6\xf8 ",
    {0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 2, 2},
    {" cat mat on sat the the ", " ", " 9to5 __ dog_house ", " kept words ", " mat sat sat the ",
     " na\xefve x\xb2 \xaa\xba \xb3\xb9\xbe \xb5m \xbd\xbc \xdf\xff \xe0\xf0\xfe \xe9t\xe9 \xf6\xf8 ",
     " article fin in it not quoted said writes ", " kept ", " kept mat one ",
     /* test part */
     " cat cat kept ", " ", " "}};

/* The test folder as a corpus of one part: its own words are the vocabulary. */
static const Expected OnePart = {"mini/x-test",
                                 3,
                                 -1,
                                 4,
                                 " cat kept unseen words_never ",
                                 {0, 1, 1},
                                 {" cat cat kept unseen ", " unseen words_never ", " "}};

/* ------------------------------------------------------------------ corpora on disk */

static PetscErrorCode MakeFolder(const char root[], const char name[])
{
  char path[PETSC_MAX_PATH_LEN];
  PetscMPIInt rank;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(TEST_COMM, &rank));
  PetscCall(PetscSNPrintf(path, sizeof(path), "%s/%s", root, name));
  if (rank == 0) PetscCall(PetscMkdir(path));
  PetscFunctionReturn(PETSC_SUCCESS);
}

enum { NumberDocs = 23, Numbers = 2000, LongToken = 100000 };

/* Document d, of class d mod 3, holds the multiples of d + 1 below 2000, largest first; documents 5, 6, 7
   hold a long word each, which differ in the last byte only. */
static PetscErrorCode WriteNumbers(const char root[])
{
  char name[32], path[PETSC_MAX_PATH_LEN], *text;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(LongToken + 10 * Numbers, &text));
  for (int d = 0; d < NumberDocs; d++) {
    int at = sprintf(text, "h: h\n\n");
    for (int k = Numbers - 1; k >= 0; k--)
      if (k % (d + 1) == 0) at += sprintf(text + at, "N%04d%s", k, k % 2 ? " " : "\n");
    if (d >= 5 && d <= 7) {
      const int length = d == 7 ? LongToken - 1 : LongToken;
      memset(text + at, 'z', (size_t)length);
      at += length;
      if (d != 5) text[at++] = 'a';
    }
    PetscCall(PetscSNPrintf(name, sizeof(name), "numbers/%d/%02d", d % 3, d));
    PetscCall(FileWrite(root, name, text, (size_t)at, path));
  }
  PetscCall(PetscFree(text));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Document b, for each byte b, is that byte twice. */
static PetscErrorCode WriteBytes(const char root[])
{
  char name[32], path[PETSC_MAX_PATH_LEN], text[] = "h: h\n\n..";

  PetscFunctionBegin;
  for (int b = 0; b < 256; b++) {
    text[6] = text[7] = (char)b;
    PetscCall(PetscSNPrintf(name, sizeof(name), "bytes/a/%03d", b));
    PetscCall(FileWrite(root, name, text, 8, path));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode WriteCorpora(const char root[])
{
  char path[PETSC_MAX_PATH_LEN];

  PetscFunctionBegin;
  for (size_t i = 0; i < sizeof(Files) / sizeof(Files[0]); i++) {
    if (Files[i].text)
      PetscCall(TextWrite(root, Files[i].path, Files[i].text, path));
    else
      PetscCall(MakeFolder(root, Files[i].path));
  }
  PetscCall(WriteNumbers(root));
  PetscCall(WriteBytes(root));
  PetscCall(PetscSNPrintf(path, sizeof(path), "%s/locked/a/2", root));
  const int locked = chmod(path, 0);
  CHECK(!locked, "cannot lock %s", path);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode LoadCorpus(const char root[], const char name[], const char weight[], DataSet *ds)
{
  char path[PETSC_MAX_PATH_LEN];

  PetscFunctionBegin;
  PetscCall(PetscSNPrintf(path, sizeof(path), "%s/%s", root, name));
  PetscCall(DataSetCreate(TEST_COMM, ds));
  PetscCall(PetscOptionsSetValue(NULL, "-text_weight", weight));
  PetscCall(DataSetSetFromOptions(*ds));
  PetscCall(PetscOptionsClearValue(NULL, "-text_weight"));
  PetscCall(DataSetLoad(*ds, path));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ checks */

/* Number of times the word at `word` (up to the next space) stands in a line of words. */
static PetscInt CountWord(const char line[], const char word[])
{
  const size_t length = (size_t)(strchr(word, ' ') - word) + 1;
  PetscInt count = 0;

  for (; (line = strchr(line, ' ')) && line[1]; line++) count += !strncmp(line + 1, word, length);
  return count;
}

/* The number row g should have in the column of `word`, not yet scaled. */
static PetscReal Weight(const Expected *e, PetscInt g, const char word[], PetscBool tfidf)
{
  const PetscInt n = e->nfirst < 0 ? e->n : e->nfirst;
  PetscInt df = 0;

  for (PetscInt i = 0; i < n; i++) df += CountWord(e->row[i], word) > 0;
  const PetscReal idf = tfidf ? PetscLogReal((1 + (PetscReal)n) / (1 + (PetscReal)df)) + 1 : 1;
  return (PetscReal)CountWord(e->row[g], word) * idf;
}

/* Whether row g is as expected; true on ranks that do not have it. */
static PetscBool RowMatches(DataSet ds, const Expected *e, PetscInt g, PetscBool tfidf)
{
  const PetscInt i = g - ds->rows->rstart;
  PetscReal want[64], squares = 0;
  PetscInt p = 0;

  if (g < ds->rows->rstart || g >= ds->rows->rend) return PETSC_TRUE;
  for (const char *at = e->vocabulary; at[1]; at = strchr(at + 1, ' '), p++) {
    want[p] = Weight(e, g, at + 1, tfidf);
    squares += want[p] * want[p];
  }
  PetscInt k = ds->rowptr[i];
  for (PetscInt j = 0; j < p; j++) {
    if (want[j] == 0) continue;
    const PetscReal scaled = want[j] / PetscSqrtReal(squares);
    if (k == ds->rowptr[i + 1] || ds->col[k] != j) return PETSC_FALSE;
    if (PetscAbsReal(PetscRealPart(ds->val[k]) - scaled) > 4 * PETSC_MACHINE_EPSILON) return PETSC_FALSE;
    k++;
  }
  return (PetscBool)(p == e->p && k == ds->rowptr[i + 1] && ds->label[i] == e->label[g]);
}

static PetscErrorCode CheckCorpus(const char root[], const Expected *e, const char weight[])
{
  const PetscBool tfidf = (PetscBool)!strcmp(weight, "tfidf");
  PetscInt n, p, c;
  PetscMPIInt rank, size;
  DataSet ds;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(TEST_COMM, &rank));
  PetscCallMPI(MPI_Comm_size(TEST_COMM, &size));
  PetscCall(LoadCorpus(root, e->path, weight, &ds));
  PetscCall(DataSetGetSizes(ds, &n, &p, &c));
  CHECK(n == e->n && p == e->p, "%s has %d samples, %d features", e->path, (int)n, (int)p);
  CHECK(ds->nfirst == e->nfirst && ds->fixed_width, "%s begins with %d samples", e->path, (int)ds->nfirst);
  CHECK(ds->rows->n == n / size + (rank < n % size), "%s is not dealt evenly", e->path);
  for (PetscInt g = 0; g < n; g++)
    CHECK(RowMatches(ds, e, g, tfidf), "%s, %s: row %d is wrong", e->path, weight, (int)g);
  PetscCall(DataSetDestroy(&ds));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode CheckClasses(const char root[])
{
  const PetscReal *value;
  const char *const *name;
  PetscInt c;
  DataSet ds;

  PetscFunctionBegin;
  PetscCall(LoadCorpus(root, "mini", "count", &ds));
  PetscCall(DataSetGetSizes(ds, NULL, NULL, &c));
  PetscCall(DataSetGetClasses(ds, &value, &name));
  CHECK(c == 3 && name, "the corpus has %d classes", (int)c);
  for (PetscInt k = 0; k < c; k++)
    CHECK(value[k] == (PetscReal)k && !strcmp(name[k], ClassNames[k]), "class %d is %s", (int)k, name[k]);
  PetscCall(DataSetDestroy(&ds));

  PetscCall(LoadCorpus(root, "mini/x-train", "count", &ds));
  PetscCall(DataSetGetSizes(ds, NULL, NULL, &c));
  CHECK(c == 2 && ds->n == 9 && ds->nfirst == -1, "the training folder by itself has %d classes", (int)c);
  PetscCall(DataSetDestroy(&ds));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Document 9: cat stands in 1 and kept in 3 of the 9 training documents, so that the row is
   (2 (ln(10/2) + 1), ln(10/4) + 1), scaled. */
static PetscErrorCode CheckInverseFrequencies(const char root[])
{
  DataSet ds;

  PetscFunctionBegin;
  PetscCall(LoadCorpus(root, "mini", "tfidf", &ds));
  PetscReal row[2] = {0, 0}, sum[2];
  if (ds->rows->rstart <= 9 && 9 < ds->rows->rend)
    for (int j = 0; j < 2; j++) row[j] = PetscRealPart(ds->val[ds->rowptr[9 - ds->rows->rstart] + j]);
  PetscCallMPI(MPI_Allreduce(row, sum, 2, MPIU_REAL, MPIU_SUM, TEST_COMM));
  CHECK_CLOSE(sum[0], 0.9387190799452436, 1e-14, "tf-idf of cat");
  CHECK_CLOSE(sum[1], 0.3446831718357532, 1e-14, "tf-idf of kept");
  PetscCall(DataSetDestroy(&ds));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Whether local row i holds what WriteNumbers() gave document d: all its tokens once. */
static PetscBool NumbersMatch(DataSet ds, PetscInt i, PetscInt d)
{
  const PetscInt longest[] = {Numbers + 1, Numbers + 2, Numbers}; /* of documents 5, 6, 7 */
  const PetscInt length = ds->rowptr[i + 1] - ds->rowptr[i];
  PetscInt k = ds->rowptr[i];

  for (PetscInt j = 0; j < Numbers; j += d + 1, k++)
    if (k >= ds->rowptr[i + 1] || ds->col[k] != j) return PETSC_FALSE;
  if (d >= 5 && d <= 7 && (k >= ds->rowptr[i + 1] || ds->col[k++] != longest[d - 5])) return PETSC_FALSE;
  if (k != ds->rowptr[i + 1] || ds->label[i] != d % 3) return PETSC_FALSE;
  for (k = ds->rowptr[i]; k < ds->rowptr[i + 1]; k++)
    if (PetscRealPart(ds->val[k]) != 1 / PetscSqrtReal((PetscReal)length)) return PETSC_FALSE;
  return PETSC_TRUE;
}

/* A vocabulary long enough to be sorted in many ranges, with words longer than any sample of it. */
static PetscErrorCode CheckNumbers(const char root[])
{
  DataSet ds;
  PetscInt g = 0;

  PetscFunctionBegin;
  PetscCall(LoadCorpus(root, "numbers", "count", &ds));
  CHECK(ds->n == NumberDocs && ds->p == Numbers + 3, "numbers: %d samples, %d features", (int)ds->n,
        (int)ds->p);
  for (PetscInt k = 0; k < 3; k++) {
    for (PetscInt d = k; d < NumberDocs; d += 3, g++) {
      const PetscBool mine = (PetscBool)(g >= ds->rows->rstart && g < ds->rows->rend);
      CHECK(!mine || NumbersMatch(ds, g - ds->rows->rstart, d), "numbers: document %d is wrong", (int)d);
    }
  }
  PetscCall(DataSetDestroy(&ds));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Every byte: whether it is a word character, and of which letter it is the capital. */
static PetscErrorCode CheckBytes(const char root[])
{
  const char words[] = "0123456789_abcdefghijklmnopqrstuvwxyz\xaa\xb2\xb3\xb5\xb9\xba\xbc\xbd\xbe"
                       "\xdf\xe0\xe1\xe2\xe3\xe4\xe5\xe6\xe7\xe8\xe9\xea\xeb\xec\xed\xee\xef"
                       "\xf0\xf1\xf2\xf3\xf4\xf5\xf6\xf8\xf9\xfa\xfb\xfc\xfd\xfe\xff";
  const char capitals[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                          "\xc0\xc1\xc2\xc3\xc4\xc5\xc6\xc7\xc8\xc9\xca\xcb\xcc\xcd\xce\xcf"
                          "\xd0\xd1\xd2\xd3\xd4\xd5\xd6\xd8\xd9\xda\xdb\xdc\xdd\xde";
  PetscInt bad = -1, worst;
  DataSet ds;

  PetscFunctionBegin;
  PetscCall(LoadCorpus(root, "bytes", "count", &ds));
  CHECK(ds->n == 256 && ds->p == sizeof(words) - 1, "bytes: %d samples, %d features", (int)ds->n, (int)ds->p);
  for (PetscInt i = 0; i < ds->rows->n; i++) {
    const PetscInt b = i + ds->rows->rstart;
    const PetscBool capital = (PetscBool)(memchr(capitals, (int)b, sizeof(capitals) - 1) != NULL);
    const char *const at = memchr(words, (int)(capital ? b + 32 : b), sizeof(words) - 1);
    const PetscInt length = ds->rowptr[i + 1] - ds->rowptr[i];
    if (length != (at ? 1 : 0) || (at && ds->col[ds->rowptr[i]] != at - words)) bad = b;
  }
  PetscCallMPI(MPI_Allreduce(&bad, &worst, 1, MPIU_INT, MPI_MAX, TEST_COMM));
  CHECK(worst < 0, "bytes: 0x%02x is read wrongly", (unsigned)worst);
  PetscCall(DataSetDestroy(&ds));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* What each corpus that cannot be used is told. */
static PetscErrorCode CheckRefusals(const char root[])
{
  const struct {
    int code;
    const char *path, *says;
  } bad[] = {
      {PETSC_ERR_FILE_UNEXPECTED, "void", "void has no class folders: expected DIR/CLASS/DOCUMENT"},
      {PETSC_ERR_FILE_UNEXPECTED, "mini/x-train/empty", "empty has no class folders"},
      {PETSC_ERR_FILE_UNEXPECTED, "hollow", "hollow has no documents in its class folders"},
      {PETSC_ERR_FILE_UNEXPECTED, "untrained", "has no documents in its training folder x-train"},
      {PETSC_ERR_FILE_UNEXPECTED, "mute", "mute has no vocabulary: no word of two letters in any document"},
      {PETSC_ERR_FILE_UNEXPECTED, "wordless", "no word of two letters in any training document"},
      {PETSC_ERR_FILE_OPEN, "missing", "missing"},
      {PETSC_ERR_FILE_OPEN, "mini/x-train/README", "cannot read folder"},
      {PETSC_ERR_FILE_OPEN, "locked", "locked/a/2"},
  };
  const size_t n = sizeof(bad) / sizeof(bad[0]) - (geteuid() ? 0 : 1); /* nothing is locked to root */
  char path[PETSC_MAX_PATH_LEN];
  DataSet ds;

  PetscFunctionBegin;
  PetscCall(DataSetCreate(TEST_COMM, &ds));
  for (size_t i = 0; i < n; i++) {
    PetscCall(PetscSNPrintf(path, sizeof(path), "%s/%s", root, bad[i].path));
    CHECK_SAYS(bad[i].code, bad[i].says, DataSetLoad_Text(ds, path));
  }
  PetscCall(DataSetDestroy(&ds));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode CheckAll(const char root[])
{
  PetscFunctionBegin;
  PetscCall(CheckCorpus(root, &TwoParts, "count"));
  PetscCall(CheckCorpus(root, &TwoParts, "tfidf"));
  PetscCall(CheckCorpus(root, &OnePart, "count"));
  PetscCall(CheckCorpus(root, &OnePart, "tfidf"));
  PetscCall(CheckInverseFrequencies(root));
  PetscCall(CheckClasses(root));
  PetscCall(CheckNumbers(root));
  PetscCall(CheckBytes(root));
  PetscCall(CheckRefusals(root));
  PetscFunctionReturn(PETSC_SUCCESS);
}

int main(int argc, char **argv)
{
  char root[PETSC_MAX_PATH_LEN];

  PetscCall(TestInitialize(&argc, &argv));
  PetscCall(FolderCreate(root));
  PetscCall(WriteCorpora(root));
  PetscCall(CheckAll(root)); /* what failed is left to look at */
  PetscCall(FolderRemove(root));
  PetscCall(TestFinalize());
  return 0;
}
