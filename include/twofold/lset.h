#ifndef TWOFOLD_LSET_H
#define TWOFOLD_LSET_H
/**
 * @file
 * LSET: the set Lambda of the upper level, closed and convex: projection onto it and membership.
 *
 * A set of one type (free, box, nonneg, simplex, l2ball, spectral, convspectral), or a product of such sets
 * over disjoint index sets.
 */
#include <petscis.h>
#include <twofold/sys.h>

#if defined(__cplusplus)
extern "C" {
#endif

/** Handle of a set, a PETSc object. */
typedef struct _p_LSET *LSET;
/** Name of a type of sets. */
typedef const char *LSETType;
#define LSETFREE     "free"     /**< all of the space */
#define LSETBOX      "box"      /**< lower <= x <= upper, entry by entry */
#define LSETNONNEG   "nonneg"   /**< x >= 0 */
#define LSETSIMPLEX  "simplex"  /**< x >= 0, sum of x = radius */
#define LSETL2BALL   "l2ball"   /**< ||x - center|| <= radius */
#define LSETPRODUCT  "product"  /**< a set for each of some disjoint index sets, the other entries free */
#define LSETSPECTRAL "spectral" /**< a matrix of singular values <= radius, the other entries free */
#define LSETCONVSPECTRAL                                                                                     \
  "convspectral" /**< the kernel of a convolution of norm <= radius, the other entries free */

/**
 * Makes a set; without a type it becomes free when it is set up.
 *
 * @collective
 *
 * @param[in]     comm    communicator of the vectors to be projected
 * @param[out]    lset    new set; free with LSETDestroy()
 */
PetscErrorCode LSETCreate(MPI_Comm comm, LSET *lset);

/**
 * Drops a reference; the last one frees the set. NULL is accepted, and the handle is cleared.
 *
 * @collective
 *
 * @param[in,out] lset    the set
 */
PetscErrorCode LSETDestroy(LSET *lset);

/**
 * Sets what stands before `lset_` in the names of the set's options.
 *
 * @logicallycollective
 *
 * @param[in]     lset    the set
 * @param[in]     prefix  the owner's prefix, or NULL
 */
PetscErrorCode LSETSetOptionsPrefix(LSET lset, const char prefix[]);

/**
 * Sets the kind of set; what belonged to another type (bounds, center, parts) is dropped.
 *
 * @logicallycollective
 *
 * @param[in]     lset    the set
 * @param[in]     type    LSETFREE, LSETBOX, ... or a registered name
 *
 * @raises PETSC_ERR_ARG_UNKNOWN_TYPE the type is not registered
 * @option{-lset_type T}
 */
PetscErrorCode LSETSetType(LSET lset, LSETType type);

/**
 * Gives the kind of set, NULL where none was chosen yet.
 *
 * @notcollective
 *
 * @param[in]     lset    the set
 * @param[out]    type    its name, borrowed
 */
PetscErrorCode LSETGetType(LSET lset, LSETType *type);

/**
 * Reads the options of the set and of its type.
 *
 * Parts of a product read their own where their owner asks.
 *
 * @collective
 *
 * @param[in]     lset    the set
 *
 * @raises PETSC_ERR_ARG_UNKNOWN_TYPE the type is not registered
 * @raises PETSC_ERR_ARG_OUTOFRANGE a value does not describe a set
 * @option{-lset_type T}
 * @option{-lset_radius R}
 * @option{-lset_lower L}
 * @option{-lset_upper U}
 * @option{-lset_offset I}
 * @option{-lset_rows M}
 * @option{-lset_columns N}
 * @option{-lset_channels_out M}
 * @option{-lset_channels_in N}
 * @option{-lset_kernel K}
 * @option{-lset_grid N}
 * @option{-lset_sweeps S}
 * @option{-lset_view}
 */
PetscErrorCode LSETSetFromOptions(LSET lset);

/**
 * Checks that the set is one of vectors laid out as the template, and prepares projections of these.
 *
 * Nothing happens where it is set up for that layout; for another one it is set up again. The functions
 * below that take a vector call it where the set is not set up yet.
 *
 * @collective
 *
 * @param[in]     lset    the set
 * @param[in]     layout  a vector of the space; its entries do not matter
 *
 * @raises PETSC_ERR_ARG_SIZ bounds or center have another layout, or a simplex has no entries
 * @raises PETSC_ERR_ARG_OUTOFRANGE the set is empty: names the first entry with lower > upper and both
 * @raises PETSC_ERR_ARG_SIZ a matrix or kernel goes beyond the end of the vector
 * @raises PETSC_ERR_ARG_INCOMP a box has no bounds, a product no parts, or nobody has said what size a
 * matrix or kernel has
 * @raises PETSC_ERR_ARG_INCOMP parts of a product overlap: names the entry and the parts
 * @raises PETSC_ERR_ARG_OUTOFRANGE a part of a product names an entry the vector does not have
 * @raises PETSC_ERR_ARG_NOTSAMECOMM the vector is not on the ranks of the set
 */
PetscErrorCode LSETSetUp(LSET lset, Vec layout);

/**
 * Prints the set.
 *
 * @collective
 *
 * @param[in]     lset    the set
 * @param[in]     viewer  where to, NULL for standard output
 *
 * @option{-lset_view}
 */
PetscErrorCode LSETView(LSET lset, PetscViewer viewer);

/**
 * Projects in place: x <- the point of the set nearest to x in the Euclidean norm.
 *
 * Entries that are not finite never raise and give the same kind of answer on every rank. NaN stays NaN:
 * alone where the set is a box (free, nonneg), as all entries where they depend on one another (simplex,
 * l2ball, the matrix of spectral, the kernel of convspectral). A box takes an infinite entry to its bound, a
 * simplex takes -inf to 0; where the projection of an infinite vector is not defined (+inf in a simplex, any
 * infinity outside a ball or in a matrix or kernel) all these entries become NaN.
 *
 * Onto a convspectral set whose kernel is smaller than the grid, the projection is to a point near the
 * nearest one: see LSETConvSpectralSetKernel().
 *
 * @raises PETSC_ERR_LIB LAPACK found no singular values
 * @collective
 *
 * @param[in]     lset    the set
 * @param[in,out] x       the vector
 *
 * @raises PETSC_ERR_ARG_SIZ x is not laid out as the set was set up for
 * @equation{P(x) = argmin_{z in Lambda} ||z - x||}
 */
PetscErrorCode LSETProject(LSET lset, Vec x);

/**
 * Computes the distance of a vector to the set without overflow or underflow of the squares.
 *
 * For a convspectral set with a kernel smaller than the grid it is a bound of the distance from below, 0 just
 * for points of the set.
 *
 * @collective
 *
 * @param[in]     lset      the set
 * @param[in]     x         the vector
 * @param[out]    distance  ||x - P(x)||; NaN where x has one
 *
 * @raises PETSC_ERR_ARG_SIZ x is not laid out as the set was set up for
 */
PetscErrorCode LSETDistance(LSET lset, Vec x, PetscReal *distance);

/**
 * Tells whether a vector is in the set: whether ||x - P(x)|| <= tol.
 *
 * A vector with a NaN never is. A
 * projected vector passes tol = 0 exactly for boxes; for simplex, l2ball and spectral only up to rounding of
 * its own size; for a convspectral set whose kernel is smaller than the grid it need not be in the set.
 *
 * @collective
 *
 * @param[in]     lset    the set
 * @param[in]     x       the vector
 * @param[in]     tol     tolerance on the distance, >= 0
 * @param[out]    in      true on every rank or on none
 *
 * @raises PETSC_ERR_ARG_OUTOFRANGE tol is negative or NaN
 * @raises PETSC_ERR_ARG_SIZ x is not laid out as the set was set up for
 */
PetscErrorCode LSETContains(LSET lset, Vec x, PetscReal tol, PetscBool *in);

/**
 * Gives bounds that describe the set exactly, where it is a box: free, box, nonneg and products of these.
 *
 * What is not bounded gets PETSC_NINFINITY and PETSC_INFINITY, which are finite numbers, as Tao has it.
 *
 * @collective
 *
 * @param[in]     lset    the set
 * @param[out]    lower   lower bounds; NULL (then upper too) to ask only whether there are bounds
 * @param[out]    upper   upper bounds
 * @param[out]    has     whether the set is a box; else the vectors are left as they are
 *
 * @raises PETSC_ERR_ARG_NULL one of the vectors is NULL and the other is not
 * @raises PETSC_ERR_ARG_SIZ a vector is not laid out as the set was set up for
 */
PetscErrorCode LSETGetBounds(LSET lset, Vec lower, Vec upper, PetscBool *has);

/**
 * Computes the norm of the projected gradient, 0 exactly at points that are stationary on the set.
 *
 * Entries that the projection leaves alone count with g itself, free of the rounding of x - (x - g).
 *
 * @collective
 *
 * @param[in]     lset    the set
 * @param[in]     x       a point, normally of the set
 * @param[in]     g       gradient at x
 * @param[out]    norm    ||x - P(x - g)||
 *
 * @raises PETSC_ERR_ARG_SIZ a vector is not laid out as the set was set up for
 */
PetscErrorCode LSETProjectedGradientNorm(LSET lset, Vec x, Vec g, PetscReal *norm);

/**
 * Sets one lower and one upper bound for all entries of a box; vectors of bounds set before are dropped.
 *
 * As in PETSc, a bound beyond PETSC_NINFINITY or PETSC_INFINITY (about 4.5e307) is none, and so is one of
 * -INFINITY or INFINITY; entries of a projected vector beyond these are then left as they are.
 *
 * @logicallycollective
 *
 * @param[in]     lset    the set, of type box
 * @param[in]     lower   lower bound, -INFINITY for none
 * @param[in]     upper   upper bound, INFINITY for none
 *
 * @raises PETSC_ERR_ARG_WRONG the set is not a box
 * @raises PETSC_ERR_ARG_OUTOFRANGE lower > upper or one is NaN
 * @option{-lset_lower L}
 * @option{-lset_upper U}
 */
PetscErrorCode LSETBoxSetConstants(LSET lset, PetscReal lower, PetscReal upper);

/**
 * Sets bounds of a box entry by entry; they are copied, and checked when the set is set up.
 *
 * Infinite bounds as in LSETBoxSetConstants().
 *
 * @collective
 *
 * @param[in]     lset    the set, of type box
 * @param[in]     lower   lower bounds, NULL to keep the ones there are
 * @param[in]     upper   upper bounds, NULL to keep the ones there are
 *
 * @raises PETSC_ERR_ARG_WRONG the set is not a box
 */
PetscErrorCode LSETBoxSetBounds(LSET lset, Vec lower, Vec upper);

/**
 * Sets the radius of a simplex (the sum of its entries), of a ball, or of spectral and convspectral (the
 * largest singular value); 1 at the start.
 *
 * @logicallycollective
 *
 * @param[in]     lset    the set
 * @param[in]     radius  positive and finite
 *
 * @raises PETSC_ERR_ARG_OUTOFRANGE the radius is not positive and finite
 * @option{-lset_radius R}
 */
PetscErrorCode LSETSetRadius(LSET lset, PetscReal radius);

/**
 * Gives the radius of a simplex, of a ball, or of spectral and convspectral.
 *
 * @notcollective
 *
 * @param[in]     lset    the set
 * @param[out]    radius  its radius
 */
PetscErrorCode LSETGetRadius(LSET lset, PetscReal *radius);

/**
 * Sets the center of a ball, which is 0 at the start; it is copied.
 *
 * @collective
 *
 * @param[in]     lset    the set, of type l2ball
 * @param[in]     center  the center, NULL for 0
 *
 * @raises PETSC_ERR_ARG_WRONG the set is not a ball
 */
PetscErrorCode LSETL2BallSetCenter(LSET lset, Vec center);

/**
 * Tells which entries are the matrix of a spectral set, and its size.
 *
 * Entry (i, j) is entry offset + i columns + j of the vector. A matrix stored by columns is its transpose
 * stored by rows: give its columns as rows and its rows as columns. Entries outside the matrix are free. The
 * matrix is gathered and decomposed on one rank, so that it should be small (a few hundred rows); no result
 * depends on the number of ranks. A solver takes the problem's own matrix (BLPGetMatrix()) where nobody has
 * said which.
 *
 * @logicallycollective
 *
 * @param[in]     lset     the set, of type spectral
 * @param[in]     offset   number of the matrix's first entry in the vector, from 0
 * @param[in]     rows     its rows, 1 at least
 * @param[in]     columns  its columns, 1 at least
 *
 * @raises PETSC_ERR_ARG_WRONG the set is not a spectral one
 * @raises PETSC_ERR_ARG_OUTOFRANGE a number is too small
 * @option{-lset_offset I}
 * @option{-lset_rows M}
 * @option{-lset_columns N}
 * @equation{P(A) = U min(Sigma, radius) V^T of A = U Sigma V^T}
 */
PetscErrorCode LSETSpectralSetMatrix(LSET lset, PetscInt offset, PetscInt rows, PetscInt columns);

/**
 * Tells which entries are the kernel of a convspectral set, its size, and that of the images.
 *
 * The kernel is that of a convolution with wrapped edges (or of a correlation: it makes no difference) of
 * `in` images of grid x grid to `out` of them. Its entry (o, i, s, t) is entry offset + ((o in + i) width +
 * s) width + t of the vector; entries outside the kernel are free.
 *
 * Singular values are clipped frequency by frequency (Sedghi, Gupta, Long, The singular values of
 * convolutional layers, ICLR 2019), and the result is cropped to width x width entries. Both are projections,
 * but one after the other is the projection onto the set only for width = grid (or 1): else the result is
 * near the nearest point, its norm may be a little above the radius, and projected again it moves. It never
 * moves away from a point of the set, and a point is left as it is just where it is in the set.
 * LSETConvSpectralSetSweeps() brings it nearer. A solver takes the problem's own kernel (BLPGetKernel())
 * where nobody has said which.
 *
 * @logicallycollective
 *
 * @param[in]     lset    the set, of type convspectral
 * @param[in]     offset  number of the kernel's first entry in the vector, from 0
 * @param[in]     out     channels the convolution makes, 1 at least
 * @param[in]     in      channels it takes, 1 at least
 * @param[in]     width   width and height of the kernel
 * @param[in]     grid    width and height of the images, at least that of the kernel
 *
 * @raises PETSC_ERR_ARG_WRONG the set is not a convspectral one
 * @raises PETSC_ERR_ARG_OUTOFRANGE a number is too small, or the kernel is wider than the grid
 * @option{-lset_offset I}
 * @option{-lset_channels_out M}
 * @option{-lset_channels_in N}
 * @option{-lset_kernel K}
 * @option{-lset_grid N}
 */
PetscErrorCode LSETConvSpectralSetKernel(LSET lset, PetscInt offset, PetscInt out, PetscInt in,
                                         PetscInt width, PetscInt grid);

/**
 * Sets how many times a projection clips and crops; 1 at the start.
 *
 * With more than one, sweeps are those of Dykstra's method, which end in the nearest point of the set; each
 * costs as much as the first.
 *
 * @logicallycollective
 *
 * @param[in]     lset    the set, of type convspectral
 * @param[in]     sweeps  1 at least
 *
 * @raises PETSC_ERR_ARG_WRONG the set is not a convspectral one
 * @raises PETSC_ERR_ARG_OUTOFRANGE there are no sweeps
 * @option{-lset_sweeps S}
 */
PetscErrorCode LSETConvSpectralSetSweeps(LSET lset, PetscInt sweeps);

/**
 * Adds a part to a product: the entries of an index set form a vector, in that order, that is in the part.
 *
 * Each rank names any entries, also those of other ranks; it then has them in the part's vector. Entries in
 * no part are free. Only references are kept. One set may be the part of several index sets.
 *
 * @collective
 *
 * @param[in]     lset    the set, of type product
 * @param[in]     is      global numbers of entries, on the set's communicator (or a congruent one)
 * @param[in]     part    the set of these entries, on the set's communicator too
 *
 * @raises PETSC_ERR_ARG_WRONG the set is not a product, or is its own part
 * @raises PETSC_ERR_ARG_NOTSAMECOMM index set or part are on other ranks
 */
PetscErrorCode LSETProductAdd(LSET lset, IS is, LSET part);

/**
 * Adds a type of sets.
 *
 * @notcollective
 *
 * @param[in]     type    its name
 * @param[in]     create  fills the table of ops (twofold/impl/lsetimpl.h) of a set
 */
PetscErrorCode LSETRegister(const char type[], PetscErrorCode (*create)(LSET));

/**
 * Gives the names of all registered types.
 *
 * @notcollective
 *
 * @param[out]    n       number of types
 * @param[out]    types   their names; free the array (not the names) with PetscFree()
 */
PetscErrorCode LSETGetRegistered(PetscInt *n, const char ***types);

#if defined(__cplusplus)
}
#endif
#endif
