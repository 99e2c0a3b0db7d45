/* Text corpora: a folder per class, a file per document, in one part or in two (training and test). */
#include "text.h"
#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>

/* An error that this rank alone sees, until TwofoldAgree(). */
typedef struct {
  PetscErrorCode code;
  char message[1024];
} Trouble;

/* Documents in their global order: training part, then test part; class folder; file. */
typedef struct {
  PetscInt n;                /* documents */
  PetscInt nfirst;           /* of them in the training part, or -1 for a corpus of one part */
  PetscInt nfolders, *ndocs; /* class folders with documents, and how many each has */
  char *names;               /* for each class folder its path, then its files: 0-terminated strings */
  PetscInt nclasses, *label; /* classes, and the class of each class folder */
  const char **classname;
} Corpus;

/* ------------------------------------------------------------------ what there is, by rank 0 */

/* Lists of a corpus while its length is not known. */
typedef struct {
  PetscSegBuffer names, ndocs;
  PetscInt nfolders; /* class folders, with documents or without */
} Listing;

typedef struct {
  int n;
  struct dirent **entry;
} Names;

static int IsVisible(const struct dirent *e)
{
  return e->d_name[0] != '.';
}

/* Not alphasort(), which depends on the locale. */
static int ByBytes(const struct dirent **a, const struct dirent **b)
{
  return strcmp((*a)->d_name, (*b)->d_name);
}

/* Asks the file system only where the folder's listing does not tell: links, and systems that never do. */
static PetscBool IsOfKind(const char folder[], const struct dirent *e, mode_t kind)
{
  char path[PETSC_MAX_PATH_LEN];
  struct stat status;

#if defined(DT_REG)
  if (e->d_type == DT_REG || e->d_type == DT_DIR)
    return (PetscBool)((e->d_type == DT_REG) == (kind == (mode_t)S_IFREG));
#endif
  const int length = snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
  return (PetscBool)((size_t)length < sizeof(path) && !stat(path, &status) &&
                     (status.st_mode & S_IFMT) == kind);
}

/* Visible names of one kind (S_IFREG, S_IFDIR) in a folder, sorted as bytes. */
static PetscErrorCode NamesList(const char folder[], mode_t kind, Names *names, Trouble *trouble)
{
  int kept = 0;

  PetscFunctionBegin;
  names->entry = NULL;
  names->n = scandir(folder, &names->entry, IsVisible, ByBytes);
  if (names->n < 0) {
    trouble->code = TwofoldErrorCode(PETSC_ERR_FILE_OPEN);
    PetscCall(PetscSNPrintf(trouble->message, sizeof(trouble->message), "cannot read folder %s: %s", folder,
                            strerror(errno)));
    names->n = 0;
  }
  for (int i = 0; i < names->n; i++) {
    if (IsOfKind(folder, names->entry[i], kind))
      names->entry[kept++] = names->entry[i];
    else
      free(names->entry[i]); /* of scandir() */
  }
  names->n = kept;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static void NamesDestroy(Names *names)
{
  for (int i = 0; i < names->n; i++) free(names->entry[i]);
  free(names->entry);
}

static PetscErrorCode AppendName(Listing *list, const char name[])
{
  const size_t length = strlen(name) + 1;
  char *to;

  PetscFunctionBegin;
  PetscCall(PetscSegBufferGet(list->names, length, &to));
  PetscCall(PetscMemcpy(to, name, length));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The path of a name in a folder, or of the folder itself where the name is empty; no folder is "". */
static PetscErrorCode Join(const char folder[], const char name[], char path[PETSC_MAX_PATH_LEN])
{
  PetscFunctionBegin;
  PetscCall(PetscSNPrintf(path, PETSC_MAX_PATH_LEN, "%s%s%s", folder, *folder && *name ? "/" : "", name));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Appends a folder of the corpus (or "" for the corpus itself) where it holds documents. */
static PetscErrorCode ListFolder(const char path[], const char folder[], Listing *list, PetscInt *n,
                                 Trouble *trouble)
{
  char full[PETSC_MAX_PATH_LEN];
  PetscInt *ndocs;
  Names docs;

  PetscFunctionBegin;
  PetscCall(Join(path, folder, full));
  PetscCall(NamesList(full, S_IFREG, &docs, trouble));
  if (docs.n) {
    PetscCall(AppendName(list, folder));
    for (int i = 0; i < docs.n; i++) PetscCall(AppendName(list, docs.entry[i]->d_name));
    PetscCall(PetscSegBufferGetInts(list->ndocs, 1, &ndocs));
    *ndocs = docs.n;
    *n += docs.n;
  }
  NamesDestroy(&docs);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Appends the class folders of one part (a folder of the corpus, or "" for the corpus itself) that hold
   documents. */
static PetscErrorCode ListPart(const char path[], const char part[], Listing *list, PetscInt *n,
                               Trouble *trouble)
{
  char folder[PETSC_MAX_PATH_LEN], full[PETSC_MAX_PATH_LEN];
  Names classes;

  PetscFunctionBegin;
  PetscCall(Join(path, part, full));
  PetscCall(NamesList(full, S_IFDIR, &classes, trouble));
  list->nfolders += classes.n;
  for (int k = 0; k < classes.n && !trouble->code; k++) {
    PetscCall(Join(part, classes.entry[k]->d_name, folder));
    PetscCall(ListFolder(path, folder, list, n, trouble));
  }
  NamesDestroy(&classes);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The folders of a corpus of two parts, training first; a corpus of one part is its own only folder. */
static PetscErrorCode FindParts(const char path[], PetscInt *nparts, char parts[2][256], Trouble *trouble)
{
  Names names;
  PetscBool train, test;

  PetscFunctionBegin;
  *nparts = 1;
  PetscCall(PetscStrncpy(parts[0], "", sizeof(parts[0])));
  PetscCall(NamesList(path, S_IFDIR, &names, trouble));
  for (int k = 0; names.n == 2 && k < 2; k++) {
    PetscCall(PetscStrendswith(names.entry[k]->d_name, "-train", &train));
    PetscCall(PetscStrendswith(names.entry[1 - k]->d_name, "-test", &test));
    if (!train || !test) continue;
    *nparts = 2;
    PetscCall(PetscStrncpy(parts[0], names.entry[k]->d_name, sizeof(parts[0])));
    PetscCall(PetscStrncpy(parts[1], names.entry[1 - k]->d_name, sizeof(parts[1])));
  }
  NamesDestroy(&names);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* An empty corpus is trouble. */
static PetscErrorCode CheckNotEmpty(const char path[], const char train[], const Corpus *corpus,
                                    const Listing *list, Trouble *trouble)
{
  const char *const expected = "expected DIR/CLASS/DOCUMENT, or DIR/*-train and DIR/*-test (and no other "
                               "folder) that hold them";

  PetscFunctionBegin;
  if (trouble->code || corpus->nfirst > 0 || (corpus->nfirst < 0 && corpus->n > 0))
    PetscFunctionReturn(PETSC_SUCCESS);
  trouble->code = TwofoldErrorCode(PETSC_ERR_FILE_UNEXPECTED);
  if (!list->nfolders)
    PetscCall(PetscSNPrintf(trouble->message, sizeof(trouble->message), "corpus %s has no class folders: %s",
                            path, expected));
  else if (corpus->n)
    PetscCall(PetscSNPrintf(trouble->message, sizeof(trouble->message),
                            "corpus %s has no documents in its training folder %s: %s", path, train,
                            expected));
  else
    PetscCall(PetscSNPrintf(trouble->message, sizeof(trouble->message),
                            "corpus %s has no documents in its class folders: %s", path, expected));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Names of all documents, and the length of corpus->names. Where `plain` is true documents need no class
   folder. */
static PetscErrorCode ListOnThisRank(const char path[], PetscBool plain, Corpus *corpus, PetscInt64 *bytes,
                                     Trouble *trouble)
{
  char parts[2][256];
  PetscInt nparts;
  size_t length;
  Listing list = {.nfolders = 0};

  PetscFunctionBegin;
  PetscCall(PetscSegBufferCreate(1, 65536, &list.names));
  PetscCall(PetscSegBufferCreate(sizeof(PetscInt), 256, &list.ndocs));
  PetscCall(FindParts(path, &nparts, parts, trouble));
  for (PetscInt part = 0; part < nparts && !trouble->code; part++) {
    PetscCall(ListPart(path, parts[part], &list, &corpus->n, trouble));
    if (part == 0 && nparts == 2) corpus->nfirst = corpus->n;
  }
  if (plain && !corpus->n && !trouble->code) PetscCall(ListFolder(path, "", &list, &corpus->n, trouble));
  PetscCall(CheckNotEmpty(path, parts[0], corpus, &list, trouble));
  PetscCall(PetscSegBufferGetSize(list.ndocs, &length));
  corpus->nfolders = (PetscInt)length;
  PetscCall(PetscSegBufferGetSize(list.names, &length));
  *bytes = (PetscInt64)length;
  if (!trouble->code) {
    PetscCall(PetscSegBufferExtractAlloc(list.ndocs, &corpus->ndocs));
    PetscCall(PetscSegBufferExtractAlloc(list.names, &corpus->names));
  }
  PetscCall(PetscSegBufferDestroy(&list.ndocs));
  PetscCall(PetscSegBufferDestroy(&list.names));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ what there is, on every rank */

static const char *NextName(const char name[])
{
  return name + strlen(name) + 1;
}

static int CompareNames(const void *a, const void *b)
{
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Classes: the distinct names of class folders, sorted as bytes. */
static PetscErrorCode FindClasses(Corpus *corpus)
{
  const char **folder, *name = corpus->names;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(corpus->nfolders, &folder));
  PetscCall(PetscMalloc1(corpus->nfolders, &corpus->classname));
  PetscCall(PetscMalloc1(corpus->nfolders, &corpus->label));
  for (PetscInt f = 0; f < corpus->nfolders; f++) {
    const char *const slash = strrchr(name, '/');
    corpus->classname[f] = folder[f] = slash ? slash + 1 : name;
    for (PetscInt i = 0; i <= corpus->ndocs[f]; i++) name = NextName(name);
  }
  qsort(corpus->classname, (size_t)corpus->nfolders, sizeof(*folder), CompareNames);
  corpus->nclasses = 0;
  for (PetscInt f = 0; f < corpus->nfolders; f++)
    if (f == 0 || strcmp(corpus->classname[f], corpus->classname[corpus->nclasses - 1]))
      corpus->classname[corpus->nclasses++] = corpus->classname[f];
  for (PetscInt f = 0; f < corpus->nfolders; f++) {
    const char **const at =
        bsearch(&folder[f], corpus->classname, (size_t)corpus->nclasses, sizeof(*folder), CompareNames);
    corpus->label[f] = (PetscInt)(at - corpus->classname);
  }
  PetscCall(PetscFree(folder));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode CorpusList(MPI_Comm comm, const char path[], PetscBool plain, Corpus *corpus)
{
  PetscMPIInt rank, nfolders, nbytes;
  Trouble trouble = {PETSC_SUCCESS, ""};
  PetscInt64 bytes = 0;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  *corpus = (Corpus){.nfirst = -1};
  if (rank == 0) PetscCall(ListOnThisRank(path, plain, corpus, &bytes, &trouble));
  PetscCall(TwofoldAgree(comm, trouble.code, trouble.message));
  PetscInt64 sizes[] = {corpus->n, corpus->nfirst, corpus->nfolders, bytes};
  PetscCallMPI(MPI_Bcast(sizes, 4, MPIU_INT64, 0, comm));
  corpus->n = (PetscInt)sizes[0];
  corpus->nfirst = (PetscInt)sizes[1];
  corpus->nfolders = (PetscInt)sizes[2];
  PetscCall(PetscMPIIntCast(corpus->nfolders, &nfolders));
  PetscCall(PetscMPIIntCast((PetscInt)PetscMin(sizes[3], PETSC_MAX_INT), &nbytes));
  PetscCheck(nbytes == sizes[3], comm, PETSC_ERR_INT_OVERFLOW,
             "corpus %s: the %" PetscInt64_FMT " bytes of its file names overflow an MPI count", path,
             sizes[3]);
  if (rank) {
    PetscCall(PetscMalloc1(nfolders, &corpus->ndocs));
    PetscCall(PetscMalloc1(nbytes, &corpus->names));
  }
  PetscCallMPI(MPI_Bcast(corpus->ndocs, nfolders, MPIU_INT, 0, comm));
  PetscCallMPI(MPI_Bcast(corpus->names, nbytes, MPI_CHAR, 0, comm));
  PetscCall(FindClasses(corpus));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode CorpusDestroy(Corpus *corpus)
{
  PetscFunctionBegin;
  PetscCall(PetscFree(corpus->ndocs));
  PetscCall(PetscFree(corpus->names));
  PetscCall(PetscFree(corpus->label));
  PetscCall(PetscFree(corpus->classname));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ documents to rows */

typedef struct {
  char *text;
  size_t length, room;
} Buffer;

static PetscErrorCode ReadFile(const char path[], Buffer *buffer, Trouble *trouble)
{
  FILE *const file = fopen(path, "rb");
  size_t got = 0;

  PetscFunctionBegin;
  buffer->length = 0;
  if (file) {
    do {
      if (buffer->length == buffer->room) {
        buffer->room *= 2;
        PetscCall(PetscRealloc(buffer->room, &buffer->text));
      }
      got = fread(buffer->text + buffer->length, 1, buffer->room - buffer->length, file);
      buffer->length += got;
    } while (got);
  }
  if (!file || ferror(file)) {
    trouble->code = TwofoldErrorCode(PETSC_ERR_FILE_OPEN);
    PetscCall(PetscSNPrintf(trouble->message, sizeof(trouble->message), "cannot read document %s: %s", path,
                            strerror(errno)));
  }
  if (file) fclose(file);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode KeepName(PetscSegBuffer names, const char folder[], const char name[])
{
  char full[PETSC_MAX_PATH_LEN], *to;

  PetscFunctionBegin;
  PetscCall(Join(folder, name, full));
  PetscCall(PetscSegBufferGet(names, strlen(full) + 1, &to));
  PetscCall(PetscMemcpy(to, full, strlen(full) + 1));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Reads this rank's documents, an even and contiguous share of all, of which the first ndefining make the
   vocabulary. Their names are appended where `names` is given. */
static PetscErrorCode ReadDocuments(MPI_Comm comm, const char path[], const Corpus *corpus,
                                    PetscInt ndefining, TextDictionary *dict, TextRows *rows,
                                    PetscReal *label[], PetscSegBuffer names)
{
  const char *folder, *name = corpus->names;
  char full[PETSC_MAX_PATH_LEN];
  Trouble trouble = {PETSC_SUCCESS, ""};
  Buffer buffer = {.room = 1 << 20};
  PetscLayout share;

  PetscFunctionBegin;
  PetscCall(PetscLayoutCreateFromSizes(comm, PETSC_DECIDE, corpus->n, 1, &share));
  PetscCall(TextRowsCreate_Private(share->n, rows));
  PetscCall(PetscMalloc1(share->n + 1, label));
  PetscCall(PetscMalloc1(buffer.room, &buffer.text));
  for (PetscInt f = 0, doc = 0; f < corpus->nfolders; f++) {
    folder = name;
    name = NextName(name);
    for (PetscInt i = 0; i < corpus->ndocs[f]; i++, doc++, name = NextName(name)) {
      if (doc < share->rstart || doc >= share->rend || trouble.code) continue;
      PetscCall(PetscSNPrintf(full, sizeof(full), "%s/%s/%s", path, folder, name));
      PetscCall(ReadFile(full, &buffer, &trouble));
      (*label)[rows->n] = (PetscReal)corpus->label[f];
      PetscCall(
          TextAddDocument_Private(dict, rows, buffer.text, buffer.length, (PetscBool)(doc < ndefining)));
      if (names) PetscCall(KeepName(names, folder, name));
    }
  }
  PetscCall(PetscFree(buffer.text));
  PetscCall(PetscLayoutDestroy(&share));
  PetscCall(TwofoldAgree(comm, trouble.code, trouble.message));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Token counts to features, in place: columns become indices of the vocabulary, tokens that are not part of
   it are dropped, counts are weighted (by idf_j = ln((1 + n) / (1 + df_j)) + 1 for tf-idf over n documents)
   and rows scaled to unit length. Summing in the order of the sorted columns makes a row the same number for
   number wherever it is. */
static PetscErrorCode WeighRows(TextRows *rows, const TextTerm term[], PetscBool tfidf, PetscInt n)
{
  PetscInt end = 0;

  PetscFunctionBegin;
  for (PetscInt row = 0, k = 0; row < rows->n; row++) {
    const PetscInt begin = end;
    PetscReal squares = 0;
    for (; k < rows->rowptr[row + 1]; k++) {
      const TextTerm t = term[rows->col[k]];
      if (t.index < 0) continue;
      rows->col[end] = t.index;
      rows->val[end] = rows->val[k];
      if (tfidf) rows->val[end] *= PetscLogReal((1 + (PetscReal)n) / (1 + (PetscReal)t.df)) + 1;
      end++;
    }
    rows->rowptr[row + 1] = end;
    PetscCall(PetscSortIntWithScalarArray(end - begin, rows->col + begin, rows->val + begin));
    for (PetscInt j = begin; j < end; j++) squares += PetscSqr(PetscRealPart(rows->val[j]));
    for (PetscInt j = begin; j < end; j++) rows->val[j] /= PetscSqrtReal(squares);
  }
  PetscCall(PetscRealloc((size_t)(end + 1) * sizeof(*rows->col), &rows->col));
  PetscCall(PetscRealloc((size_t)(end + 1) * sizeof(*rows->val), &rows->val));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Features of the documents: rows, labels, number of features and vocabulary, which is the given one where
   there is one. */
static PetscErrorCode Vectorise(DataSet ds, const char path[], const Corpus *corpus, TextRows *rows,
                                PetscReal *label[], PetscSegBuffer names, PetscInt *p,
                                DataSetVocabulary *vocabulary)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)ds);
  const PetscInt nfirst = corpus->nfirst < 0 ? corpus->n : corpus->nfirst;
  const PetscInt ndocs = ds->given ? ds->given->ndocs : nfirst;
  TextDictionary dict;
  TextTerm *term;
  PetscBool tfidf;

  PetscFunctionBegin;
  PetscCall(PetscStrcmp(ds->text_weight, "tfidf", &tfidf));
  PetscCall(TextDictionaryCreate_Private(&dict));
  if (ds->given) PetscCall(TextDictionaryDefine_Private(&dict, ds->given));
  PetscCall(ReadDocuments(comm, path, corpus, ds->given ? 0 : nfirst, &dict, rows, label, names));
  PetscCall(TextVocabularyMerge_Private(comm, &dict, ndocs, &term, p, vocabulary));
  PetscCall(TextDictionaryDestroy_Private(&dict));
  PetscCheck(*p > 0, comm, PETSC_ERR_FILE_UNEXPECTED,
             "corpus %s has no vocabulary: no word of two letters in any %sdocument, below its header (which "
             "ends at the first blank line) and outside quotations",
             path, corpus->nfirst < 0 ? "" : "training ");
  if (ds->given) {
    PetscCall(DataSetVocabularyDestroy_Private(vocabulary));
    *vocabulary = DataSetVocabularyShare_Private(ds->given);
  }
  PetscCall(WeighRows(rows, term, tfidf, ndocs));
  PetscCall(PetscFree(term));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode DataSetLoad_Text(DataSet ds, const char path[])
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)ds);
  const PetscBool applies = ds->given ? PETSC_TRUE : PETSC_FALSE; /* another corpus' vocabulary */
  PetscSegBuffer names = NULL;
  DataSetVocabulary vocabulary;
  Corpus corpus;
  TextRows rows;
  PetscReal *label;
  PetscInt p;

  PetscFunctionBegin;
  PetscCall(DataSetRefuseNames_Private(ds, ds->targets)); /* folders */
  PetscCall(CorpusList(comm, path, applies, &corpus));
  if (applies) PetscCall(PetscSegBufferCreate(1, 65536, &names));
  PetscCall(Vectorise(ds, path, &corpus, &rows, &label, names, &p, &vocabulary));
  PetscCall(DataSetTakeRows_Private(ds, rows.n, rows.rowptr, rows.col, rows.val, label, p, PETSC_TRUE));
  PetscCall(PetscFree(label));
  ds->nfirst = corpus.nfirst;
  ds->vocabulary = vocabulary;
  if (applies) PetscCall(PetscSegBufferExtractAlloc(names, &ds->names));
  PetscCall(PetscSegBufferDestroy(&names));
  if (ds->c == corpus.nclasses)
    PetscCall(DataSetSetClasses_Private(ds, ds->c, ds->classvalue, corpus.classname));
  PetscCall(CorpusDestroy(&corpus));
  PetscFunctionReturn(PETSC_SUCCESS);
}
