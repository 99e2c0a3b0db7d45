/* The vocabulary of a text corpus: shared by the sets that were read with it, kept in a model and read back.
 */
#include <twofold/impl/datasetimpl.h>

DataSetVocabulary DataSetVocabularyShare_Private(DataSetVocabulary vocabulary)
{
  if (vocabulary) vocabulary->references++;
  return vocabulary;
}

PetscErrorCode DataSetVocabularyDestroy_Private(DataSetVocabulary *vocabulary)
{
  DataSetVocabulary v = *vocabulary;

  PetscFunctionBegin;
  *vocabulary = NULL;
  if (!v || --v->references > 0) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscFree(v->text));
  PetscCall(PetscFree(v->df));
  PetscCall(PetscFree(v));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ save */

/* Bytes of the longest token, with its newline. */
static PetscInt64 LongestToken(DataSetVocabulary v)
{
  PetscInt64 longest = 1;

  for (PetscInt64 begin = 0, at = 0; at < v->bytes; at++) {
    if (v->text[at] != '\n') continue;
    longest = PetscMax(longest, at + 1 - begin);
    begin = at + 1;
  }
  return longest;
}

PetscErrorCode DataSetVocabularySave_Private(MPI_Comm comm, DataSetVocabulary v, TwofoldGroup group)
{
  PetscInt64 longest = LongestToken(v);

  PetscFunctionBegin;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &longest, 1, MPIU_INT64, MPI_MAX, comm));
  PetscCall(TwofoldGroupPutInt(group, "documents", v->ndocs));
  PetscCall(TwofoldGroupPutInt(group, "longest_token", longest));
  PetscCall(TwofoldGroupPutPieces(group, "vocabulary", PETSC_CHAR, v->bytes, v->text));
  PetscCall(TwofoldGroupPutPieces(group, "document_frequency", PETSC_INT, v->n, v->df));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ load */

/* Bytes [begin, end) of the list: a rank's even share. */
static void Share(MPI_Comm comm, PetscInt64 bytes, PetscInt64 *begin, PetscInt64 *end)
{
  PetscMPIInt rank = 0, size = 1;

  MPI_Comm_rank(comm, &rank);
  MPI_Comm_size(comm, &size);
  *begin = bytes / size * rank + bytes % size * rank / size;
  *end = bytes / size * (rank + 1) + bytes % size * (rank + 1) / size;
}

/* Takes the tokens that begin in the share. No token is longer than `longest`, so that one read is enough. */
static PetscErrorCode LoadTokens(MPI_Comm comm, PetscInt64 bytes, PetscInt64 longest, TwofoldGroup group,
                                 DataSetVocabulary v)
{
  PetscInt64 begin, end, first, last;
  char *text, *at, *newline;

  PetscFunctionBegin;
  Share(comm, bytes, &begin, &end);
  first =
      begin < end ? PetscMax(begin - 1, 0) : begin; /* the byte before tells whether a token begins there */
  last = begin < end ? PetscMin(end + longest, bytes) : first;
  PetscCall(PetscCalloc1(last - first + 1, &text));
  PetscCall(TwofoldGroupGetPieces(group, "vocabulary", PETSC_CHAR, first, last - first, text));
  at = text;
  if (begin > 0 && begin < end) {
    at = memchr(text, '\n', (size_t)(last - first));
    at = at ? at + 1 : text + (last - first);
  }
  char *const start = at;
  while (first + (at - text) < end && (newline = memchr(at, '\n', (size_t)(text + (last - first) - at)))) {
    at = newline + 1;
    v->n++;
  }
  v->bytes = at - start;
  PetscCall(PetscMemmove(text, start, (size_t)v->bytes));
  v->text = text;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The numbers of documents of the tokens; there must be p in all. */
static PetscErrorCode LoadFrequencies(MPI_Comm comm, PetscInt p, TwofoldGroup group, DataSetVocabulary v)
{
  PetscInt64 n = v->n, upto, total;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Scan(&n, &upto, 1, MPIU_INT64, MPI_SUM, comm));
  PetscCallMPI(MPI_Allreduce(&n, &total, 1, MPIU_INT64, MPI_SUM, comm));
  PetscCheck(total == p, comm, PETSC_ERR_FILE_UNEXPECTED,
             "%s has %" PetscInt64_FMT " tokens for %" PetscInt_FMT " features: the file is damaged",
             TwofoldGroupPath(group), total, p);
  PetscCall(PetscMalloc1(v->n + 1, &v->df));
  PetscCall(TwofoldGroupGetPieces(group, "document_frequency", PETSC_INT, upto - n, n, v->df));
  for (PetscInt i = 0; i < v->n; i++)
    v->df[i] = PetscMax(v->df[i], 1); /* 0 would take it out of the vocabulary */
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode DataSetVocabularyLoad_Private(MPI_Comm comm, PetscInt p, TwofoldGroup group,
                                             DataSetVocabulary *vocabulary)
{
  PetscInt64 ndocs, longest, bytes;
  PetscBool has;
  DataSetVocabulary v;

  PetscFunctionBegin;
  PetscCall(TwofoldGroupGetInt(group, "documents", &ndocs));
  PetscCall(TwofoldGroupGetInt(group, "longest_token", &longest));
  PetscCall(TwofoldGroupHas(group, "vocabulary", &has, &bytes));
  PetscCheck(ndocs > 0 && ndocs <= PETSC_MAX_INT && longest > 0 && longest <= bytes, comm,
             PETSC_ERR_FILE_UNEXPECTED,
             "%s: a vocabulary of %" PetscInt64_FMT " documents, %" PetscInt64_FMT
             " bytes and tokens of up to %" PetscInt64_FMT " bytes: the file is damaged",
             TwofoldGroupPath(group), ndocs, bytes, longest);
  PetscCall(PetscNew(&v));
  v->references = 1;
  v->ndocs = (PetscInt)ndocs;
  PetscCall(LoadTokens(comm, bytes, longest, group, v));
  PetscCall(LoadFrequencies(comm, p, group, v));
  *vocabulary = v;
  PetscFunctionReturn(PETSC_SUCCESS);
}
