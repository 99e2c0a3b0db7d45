/* Text corpora: the rules for documents, the vocabulary of the training part, order, weights and refusals,
   against what was worked out by hand. */
#include "test.h"
#include <twofold/impl/datasetimpl.h>
#include <sys/stat.h>
#include <unistd.h>

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

static PetscErrorCode WriteFile(const char root[], const char name[], size_t length, const char text[])
{
  char path[PETSC_MAX_PATH_LEN];
  FILE *file;

  PetscFunctionBegin;
  PetscCall(PetscSNPrintf(path, sizeof(path), "%s/%s", root, name));
  file = fopen(path, "wb");
  PetscCheck(file && fwrite(text, 1, length, file) == length, PETSC_COMM_SELF, PETSC_ERR_FILE_WRITE,
             "cannot write %s", path);
  fclose(file);
  PetscFunctionReturn(PETSC_SUCCESS);
}

enum { NumberDocs = 23, Numbers = 2000, LongToken = 100000 };

/* Document d, of class d mod 3, holds the multiples of d + 1 below 2000, largest first; documents 5, 6, 7
   hold a long word each, which differ in the last byte only. */
static PetscErrorCode WriteNumbers(const char root[])
{
  char name[32], *text;

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
    PetscCall(WriteFile(root, name, (size_t)at, text));
  }
  PetscCall(PetscFree(text));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Rank 0 writes all corpora below a new folder. */
static PetscErrorCode WriteCorpora(char root[PETSC_MAX_PATH_LEN])
{
  PetscMPIInt rank;
  char path[PETSC_MAX_PATH_LEN];
  const char *const tmp = getenv("TMPDIR");

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  if (rank == 0) {
    PetscCall(PetscSNPrintf(root, PETSC_MAX_PATH_LEN, "%s/twofold-text-XXXXXX", tmp ? tmp : "/tmp"));
    PetscCall(PetscMkdtemp(root));
    for (size_t i = 0; i < sizeof(Files) / sizeof(Files[0]); i++) {
      if (Files[i].text) {
        PetscCall(WriteFile(root, Files[i].path, strlen(Files[i].text), Files[i].text));
      } else {
        PetscCall(PetscSNPrintf(path, sizeof(path), "%s/%s", root, Files[i].path));
        PetscCall(PetscMkdir(path));
      }
    }
    PetscCall(PetscSNPrintf(path, sizeof(path), "%s/locked/a/2", root));
    PetscCheck(!chmod(path, 0), PETSC_COMM_SELF, PETSC_ERR_FILE_WRITE, "cannot lock %s", path);
    PetscCall(WriteNumbers(root));
  }
  PetscCallMPI(MPI_Bcast(root, PETSC_MAX_PATH_LEN, MPI_CHAR, 0, PETSC_COMM_WORLD));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode RemoveCorpora(const char root[])
{
  PetscMPIInt rank;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Barrier(PETSC_COMM_WORLD));
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  if (rank == 0) PetscCall(PetscRMTree(root));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode LoadCorpus(const char root[], const char name[], const char weight[], DataSet *ds)
{
  char path[PETSC_MAX_PATH_LEN];

  PetscFunctionBegin;
  PetscCall(PetscSNPrintf(path, sizeof(path), "%s/%s", root, name));
  PetscCall(DataSetCreate(PETSC_COMM_WORLD, ds));
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
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  PetscCallMPI(MPI_Comm_size(PETSC_COMM_WORLD, &size));
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
  PetscCallMPI(MPI_Allreduce(row, sum, 2, MPIU_REAL, MPIU_SUM, PETSC_COMM_WORLD));
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

static PetscErrorCode CheckRefusals(const char root[])
{
  const char *const empty[] = {"void", "hollow", "mute", "untrained", "wordless", "mini/x-train/empty"};
  char path[PETSC_MAX_PATH_LEN];
  DataSet ds;

  PetscFunctionBegin;
  PetscCall(DataSetCreate(PETSC_COMM_WORLD, &ds));
  PetscCall(DataSetSetFormat(ds, DATASETTEXT));
  for (size_t i = 0; i < sizeof(empty) / sizeof(empty[0]); i++) {
    PetscCall(PetscSNPrintf(path, sizeof(path), "%s/%s", root, empty[i]));
    CHECK_RAISES(PETSC_ERR_FILE_UNEXPECTED, DataSetLoad(ds, path));
  }
  PetscCall(PetscSNPrintf(path, sizeof(path), "%s/missing", root));
  CHECK_RAISES(PETSC_ERR_FILE_OPEN, DataSetLoad(ds, path));
  CHECK_RAISES(PETSC_ERR_FILE_OPEN, DataSetLoad_Text(ds, path));
  PetscCall(PetscSNPrintf(path, sizeof(path), "%s/mini/x-train/README", root)); /* a file */
  CHECK_RAISES(PETSC_ERR_FILE_OPEN, DataSetLoad(ds, path));
  PetscCall(PetscSNPrintf(path, sizeof(path), "%s/locked", root));
  if (geteuid()) CHECK_RAISES(PETSC_ERR_FILE_OPEN, DataSetLoad(ds, path)); /* nothing is locked to root */
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
  PetscCall(CheckRefusals(root));
  PetscFunctionReturn(PETSC_SUCCESS);
}

int main(int argc, char **argv)
{
  char root[PETSC_MAX_PATH_LEN];

  PetscCall(TwofoldInitialize(&argc, &argv, NULL, NULL));
  PetscCall(WriteCorpora(root));
  const PetscErrorCode failed = CheckAll(root);
  PetscCall(RemoveCorpora(root));
  PetscCall(failed);
  PetscCall(TwofoldFinalize());
  return 0;
}
