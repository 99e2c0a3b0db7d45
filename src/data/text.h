#ifndef TWOFOLD_TEXT_H
#define TWOFOLD_TEXT_H
/* A text corpus becomes a data set in three steps: documents to counts of this rank's own tokens
   (text_tokens.c), one sorted vocabulary for all ranks (text_vocabulary.c), folders and features (text.c). */
#include <twofold/impl/datasetimpl.h>
#include <stdint.h>

typedef struct {
  size_t at; /* first byte in the arena */
  PetscInt length;
  uint32_t hash;
  PetscInt df;     /* documents of this rank that hold it, of those that make the vocabulary */
  PetscInt newest; /* its last entry in the rows */
} TextToken;

/* Distinct tokens of this rank, numbered as they are met: open addressing over one arena of bytes. */
typedef struct {
  PetscInt n, allocated;
  TextToken *token;
  char *arena;
  size_t used, room;
  PetscInt *slot, nslots;  /* number of a token, or -1; nslots is a power of two */
  unsigned char word[256]; /* a word character in lower case, or 0 for one that separates words */
} TextDictionary;

/* Counts of this rank's documents: CSR whose columns are token numbers. */
typedef struct {
  PetscInt n, allocated;
  PetscInt *rowptr, *col;
  PetscScalar *val;
} TextRows;

/* What all ranks together know of a token. */
typedef struct {
  PetscInt index; /* in the sorted vocabulary, or -1 if it is not part of it */
  PetscInt df;    /* documents that hold it, of those that make the vocabulary */
} TextTerm;

PetscErrorCode TextDictionaryCreate_Private(TextDictionary *dict);
PetscErrorCode TextDictionaryDestroy_Private(TextDictionary *dict);

/* Room for n documents. The arrays are PetscMalloc'd one by one, for DataSetTakeRows_Private(). */
PetscErrorCode TextRowsCreate_Private(PetscInt n, TextRows *rows);

/* Appends a document as a row of token counts: drops header, footer and quotations, then splits into tokens.
   `text` is overwritten. Its tokens join the vocabulary if `defines`. Not collective. */
PetscErrorCode TextAddDocument_Private(TextDictionary *dict, TextRows *rows, char text[], size_t length,
                                       PetscBool defines);

/* Adds the tokens of this rank's range of a vocabulary, with their numbers of documents, to an empty
 * dictionary. */
PetscErrorCode TextDictionaryDefine_Private(TextDictionary *dict, DataSetVocabulary vocabulary);

/* Merges the dictionaries of all ranks: the term of each of this rank's tokens (the caller frees it with
   PetscFree()), the number of features, and the vocabulary, of ndocs documents. Collective on comm. */
PetscErrorCode TextVocabularyMerge_Private(MPI_Comm comm, const TextDictionary *dict, PetscInt ndocs,
                                           TextTerm *term[], PetscInt *nfeatures,
                                           DataSetVocabulary *vocabulary);

#endif
