#ifndef TWOFOLD_DATA_BLOCK_H
#define TWOFOLD_DATA_BLOCK_H
/* One rank's block of a feature matrix and the kernels over it, without communication.

   The block is stored along its longer side, the major one: a kernel streams arrays of the major side
   once and finds those of the minor side, n x c or p x c, in the cache. All arrays are interlaced: a row of c
   columns for each feature or sample. A sparse block has its entries compressed; a dense one
   (block_dense.c) has them all. */
#include <twofold/impl/featurematimpl.h>

/* Major rows with many entries, so few that a piece of each stays in the first cache. Their entries lie by
   the minor side: a minor row is loaded once for all of them. */
typedef struct {
  PetscInt64 *start; /* entries of minor row i: start[i], ..., start[i + 1] - 1 */
  unsigned char *at; /* their rows in the panel */
  PetscScalar *value;
} Panel;

/* Widest piece of a row that a kernel has in registers. */
enum { BLOCK_WIDEST = 32 };

typedef struct {
  PetscBool by_features; /* the major side: features; else samples */
  PetscInt major, minor; /* rows of the two sides */
  PetscInt64 nentries;   /* that are stored, zeros of a dense block among them */
  PetscBool dense;       /* value[i minor + k] is the entry at (i, k), and all below but `row` is not there */
  PetscInt64 *start;     /* entries of major row i, if no panel has it: start[i], ..., start[i + 1] - 1 */
  int *at;               /* their places on the minor side, 32 bits also where PetscInt has 64 */
  PetscScalar *value;
  PetscInt npanels, capacity; /* rows each has, but for the last */
  Panel *panel;
  int *place;          /* of a major row in the panels, one after another; negative: in none */
  PetscInt *heavy;     /* the major row at a place */
  PetscScalar *row[2]; /* work: a piece of each row of the panels, the second for what is done beside; the
                          first BLOCK_ROWS rows of a dense block */
} Block;

/* entry[], in the block's own numbers, is sorted by samples, and by features within one; the block's kernels
   are for c columns. Automatic storage is dense where that is the faster one. */
PetscErrorCode BlockCreate(PetscInt nfeatures, PetscInt nsamples, PetscInt c, FeatureMatStorage storage,
                           PetscInt nentries, const FeatureMatEntry entry[], Block *block);
PetscErrorCode BlockDestroy(Block *block);
PetscLogDouble BlockGetMemory(const Block *block);

/* The kernels for the processor at hand are chosen by the first call; tests try the others by name: "plain",
   "avx2", "avx512". False where they cannot run. */
PetscBool BlockUseKernels(const char name[]);

/* The products of the block: z = X w, and g = X^T r, of the squares of X's entries where asked for. */
void BlockMult(const Block *X, PetscInt c, const PetscScalar w[], PetscScalar z[]);
void BlockMultTranspose(const Block *X, PetscInt c, PetscBool squared, const PetscScalar r[],
                        PetscScalar g[]);

/* z = f(X w) and g = X^T z: in one pass over a dense block of few features, some samples at a time. */
PetscErrorCode BlockMultThrough(const Block *X, PetscInt c, FeatureMatRows f, void *ctx,
                                const PetscScalar w[], PetscScalar z[], PetscScalar g[]);
/* Whether it is one; of an empty block, too. */
PetscBool BlockIsOnePass(const Block *X, PetscInt c);

/* With g = X^T r: updates y, then z = X y, in one pass over the features of a block by features. y may be a
   or b; b may be NULL. sums[0] = ||m||^2, sums[1] = ||a - b||^2. */
void BlockSweep(const Block *X, PetscInt c, FeatureMatDiagonal D, const FeatureMatUpdate *update,
                const PetscScalar r[], const PetscScalar a[], const PetscScalar b[], PetscScalar y[],
                PetscScalar z[], PetscReal sums[2]);
/* The same, and beside it cross <- the sums of y x over the entries of one weight of D, zx <- X x. */
void BlockSweepBeside(const Block *X, PetscInt c, FeatureMatDiagonal D, const FeatureMatUpdate *update,
                      const PetscScalar r[], const PetscScalar a[], const PetscScalar b[], PetscScalar y[],
                      PetscScalar z[], const PetscScalar x[], PetscReal cross[], PetscScalar zx[],
                      PetscReal sums[2]);
/* The sums alone, on rows of c columns. */
void BlockCross(PetscInt rows, PetscInt c, PetscInt share, const PetscScalar y[], const PetscScalar x[],
                PetscReal cross[]);
/* A sweep with g given, on rows of c columns: what remains where g needs communication. */
void BlockUpdateRows(PetscInt rows, PetscInt c, FeatureMatDiagonal D, const FeatureMatUpdate *update,
                     const PetscScalar g[], const PetscScalar a[], const PetscScalar b[], PetscScalar y[],
                     PetscReal sums[2]);

/* A step of conjugate gradients for s (X^T B X + D) in one pass: with r = B X p' and p' = res + beta p,

     p <- p',  x <- x + alpha p,  res <- res - alpha s (X^T r + D p),  z = X res

   sums[0] = <res, res>, sums[1] = <res, D res>, sums[2] = <res, D p> of the new vectors. */
void BlockSweepCG(const Block *X, PetscInt c, FeatureMatDiagonal D, PetscReal s, PetscReal alpha,
                  PetscReal beta, const PetscScalar r[], PetscScalar x[], PetscScalar res[], PetscScalar p[],
                  PetscScalar z[], PetscReal sums[3]);
/* The same with g = X^T r given. */
void BlockUpdateRowsCG(PetscInt rows, PetscInt c, FeatureMatDiagonal D, PetscReal s, PetscReal alpha,
                       PetscReal beta, const PetscScalar g[], PetscScalar x[], PetscScalar res[],
                       PetscScalar p[], PetscReal sums[3]);

/* block_dense.c: the same for dense blocks, of major rows first, ..., first + rows - 1 only; these are where
   `in` begins in scatter, `out` in gather. out = M in; out += M^T in. */
enum { BLOCK_ROWS = 32 }; /* at a time, so that they stay in the cache */
void BlockDenseGather(const Block *X, PetscInt c, PetscBool squared, PetscInt first, PetscInt rows,
                      const PetscScalar in[], PetscScalar out[]);
void BlockDenseScatter(const Block *X, PetscInt c, PetscBool squared, PetscInt first, PetscInt rows,
                       const PetscScalar in[], PetscScalar out[]);

/* What block_plain.c and its like give, for one family of processors each; block.c chooses. */
typedef struct {
  const char *name;
  PetscBool (*runs)(void); /* on the processor at hand */
  void (*gather)(const Block *, PetscInt c, const PetscScalar in[], PetscScalar out[]);  /* out = M in */
  void (*scatter)(const Block *, PetscInt c, const PetscScalar in[], PetscScalar out[]); /* out += M^T in */
  void (*sweep)(const Block *, PetscInt c, FeatureMatDiagonal, const FeatureMatUpdate *,
                const PetscScalar r[], const PetscScalar a[], const PetscScalar b[], PetscScalar y[],
                PetscScalar z[], PetscReal sums[2]);
  void (*sweepbeside)(const Block *, PetscInt c, FeatureMatDiagonal, const FeatureMatUpdate *,
                      const PetscScalar r[], const PetscScalar a[], const PetscScalar b[], PetscScalar y[],
                      PetscScalar z[], const PetscScalar x[], PetscReal cross[], PetscScalar zx[],
                      PetscReal sums[2]);
  void (*update)(PetscInt rows, PetscInt c, FeatureMatDiagonal, const FeatureMatUpdate *,
                 const PetscScalar g[], const PetscScalar a[], const PetscScalar b[], PetscScalar y[],
                 PetscReal sums[2]);
  void (*sweepcg)(const Block *, PetscInt c, FeatureMatDiagonal, PetscReal s, PetscReal alpha, PetscReal beta,
                  const PetscScalar r[], PetscScalar x[], PetscScalar res[], PetscScalar p[], PetscScalar z[],
                  PetscReal sums[3]);
  void (*updatecg)(PetscInt rows, PetscInt c, FeatureMatDiagonal, PetscReal s, PetscReal alpha,
                   PetscReal beta, const PetscScalar g[], PetscScalar x[], PetscScalar res[], PetscScalar p[],
                   PetscReal sums[3]);
  /* out += M in and out += M^T in for a dense M of rows x columns, whose rows are `width` apart */
  void (*densegather)(PetscInt rows, PetscInt columns, PetscInt width, PetscInt c, const PetscScalar m[],
                      const PetscScalar in[], PetscScalar out[]);
  void (*densescatter)(PetscInt rows, PetscInt columns, PetscInt width, PetscInt c, const PetscScalar m[],
                       const PetscScalar in[], PetscScalar out[]);
} BlockKernels;

/* Those in use. */
const BlockKernels *BlockGetKernels(void);

/* Compilers that can be told the processor function by function. */
#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__)
#define BLOCK_X86
extern const BlockKernels BlockKernels_avx512, BlockKernels_avx2;
#endif
extern const BlockKernels BlockKernels_plain;

#endif
