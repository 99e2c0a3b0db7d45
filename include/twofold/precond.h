#ifndef TWOFOLD_PRECOND_H
#define TWOFOLD_PRECOND_H
/**
 * @file
 * Precond: a preconditioner P of the lower level's Hessian H = grad^2_ww l, for the linear systems of newton
 * (LLSNEWTON) and of aid (HGAID).
 *
 * Order of calls: PrecondCreate(), PrecondSetFromOptions(), PrecondSetBLP() and PrecondSetKSP() once;
 * PrecondPrepare() at each point, the solve, PrecondTell() after it. It is built where the point demands it
 * and kept over further points: see PrecondSetReuse().
 *
 * Reference: Frangella, Tropp, Udell, SIAM J. Matrix Anal. Appl. 44 (2023).
 */
#include <petscksp.h>
#include <twofold/blpconstants.h>

#if defined(__cplusplus)
extern "C" {
#endif

/** A preconditioner; a PETSc object, freed by PrecondDestroy(). */
typedef struct _p_Precond *Precond;
/** Name of a type of preconditioner. */
typedef const char *PrecondType;
#define PRECONDNONE    "none"    /**< P = I */
#define PRECONDJACOBI  "jacobi"  /**< P = diag(H), by BLPLossHessianDiagonal() */
#define PRECONDNYSTROM "nystrom" /**< mu I and a Nystroem approximation of H - mu I of low rank */

/**
 * Makes a preconditioner without type.
 *
 * @collective
 *
 * @param[in]     comm     communicator
 * @param[out]    precond  the preconditioner, the caller's: PrecondDestroy()
 */
PetscErrorCode PrecondCreate(MPI_Comm comm, Precond *precond);

/**
 * Drops a reference to a preconditioner, and frees it with the last one.
 *
 * @collective
 *
 * @param[in,out] precond  the preconditioner, NULL on return; NULL: nothing happens
 */
PetscErrorCode PrecondDestroy(Precond *precond);

/**
 * Sets what the names of the preconditioner's options begin with: `hg_` for that of aid, `lls_newton_` for
 * that of newton, both behind their owner's prefix.
 *
 * @logicallycollective
 *
 * @param[in]     precond  the preconditioner
 * @param[in]     prefix   without the hyphen; copied
 */
PetscErrorCode PrecondSetOptionsPrefix(Precond precond, const char prefix[]);

/**
 * Sets the type. Default: `none`.
 *
 * @logicallycollective
 *
 * @param[in]     precond  the preconditioner
 * @param[in]     type     `none`, `jacobi`, `nystrom`, or one of PrecondRegister()
 *
 * @raises PETSC_ERR_ARG_UNKNOWN_TYPE there is no such type; the message names the closest
 * @option{-precond T} (behind the owner's prefix: `-hg_precond`, `-lls_newton_precond`)
 */
PetscErrorCode PrecondSetType(Precond precond, PrecondType type);

/**
 * Gives the type.
 *
 * @notcollective
 *
 * @param[in]     precond  the preconditioner
 * @param[out]    type     its name, borrowed; NULL before it is set
 */
PetscErrorCode PrecondGetType(Precond precond, PrecondType *type);

/**
 * Sets the rank of `nystrom`.
 *
 * @logicallycollective
 *
 * @param[in]     precond  the preconditioner
 * @param[in]     rank     products with H that a build makes and vectors that are kept, positive; the number
 *                         of entries of w where that is less. Default: 20
 *
 * @raises PETSC_ERR_ARG_OUTOFRANGE rank is not positive
 * @option{-precond_rank R}
 */
PetscErrorCode PrecondSetRank(Precond precond, PetscInt rank);

/**
 * Sets how long a preconditioner is kept.
 *
 * It is built anew after N runs (PrecondBegin(): hypergradients, or lower-level solves where newton has it),
 * and before that once a solve took `growth` times the iterations per digit of the best solve since it was
 * built.
 *
 * @logicallycollective
 *
 * @param[in]     precond  the preconditioner
 * @param[in]     N        runs, not negative; 0: any number. Default: 10
 * @param[in]     growth   more than 1, may be infinite. Default: 2
 *
 * @raises PETSC_ERR_ARG_OUTOFRANGE N or growth is not in its range
 * @option{-precond_reuse N}
 * @option{-precond_growth F}
 */
PetscErrorCode PrecondSetReuse(Precond precond, PetscInt N, PetscReal growth);

/**
 * Takes type, rank, reuse and the seed of the random numbers from the options.
 *
 * @collective
 *
 * @param[in]     precond  the preconditioner
 *
 * @raises PETSC_ERR_ARG_UNKNOWN_TYPE as PrecondSetType()
 * @raises PETSC_ERR_ARG_OUTOFRANGE as PrecondSetRank() and PrecondSetReuse()
 * @option{-precond_seed S}
 */
PetscErrorCode PrecondSetFromOptions(Precond precond);

/**
 * Sets the problem whose loss H is of. What was built for another one is dropped.
 *
 * @collective
 *
 * @param[in]     precond  the preconditioner
 * @param[in]     blp      the problem, set up; the preconditioner holds a reference to it
 *
 * @raises PETSC_ERR_SUP the lower level is a map; or the type is jacobi and the problem does not give the
 * diagonal of H
 */
PetscErrorCode PrecondSetBLP(Precond precond, BLP blp);

/**
 * Makes a KSP use the preconditioner, as a PCSHELL. Type `none` leaves the KSP's own PC, if that does with
 * products.
 *
 * cg then tests the true residual, and not the preconditioned one, unless `-ksp_norm_type` says otherwise;
 * the other methods of PETSc test what they test with any PC.
 *
 * @collective
 *
 * @param[in]     precond  the preconditioner; the caller keeps it as long as the KSP is used
 * @param[in,out] ksp      the solver of a system with H or a multiple of it, on vectors of w's layout
 *
 * @raises PETSC_ERR_ARG_INCOMP the KSP has a PC already: `-pc_type`
 * @raises PETSC_ERR_SUP the KSP's own PC needs the entries of a matrix
 */
PetscErrorCode PrecondSetKSP(Precond precond, KSP ksp);

/**
 * Begins a run: what PrecondSetReuse() counts.
 *
 * @logicallycollective
 *
 * @param[in]     precond  the preconditioner
 */
PetscErrorCode PrecondBegin(Precond precond);

/**
 * Builds the preconditioner at a point, if it is due. Fixes the loss's point there, then.
 *
 * @collective
 *
 * @param[in]     precond  the preconditioner, with a problem
 * @param[in]     lambda   hyperparameters
 * @param[in]     w        lower variable; neither is changed nor freed while the loss's products are used
 * @param[out]    built    whether it was built; may be NULL
 *
 * @raises PETSC_ERR_ARG_WRONGSTATE there is no problem
 */
PetscErrorCode PrecondPrepare(Precond precond, Vec lambda, Vec w, PetscBool *built);

/**
 * Builds the preconditioner at a point, due or not.
 *
 * @collective
 *
 * @param[in]     precond  the preconditioner, with a problem
 * @param[in]     lambda   hyperparameters
 * @param[in]     w        lower variable, as for PrecondPrepare()
 *
 * @raises PETSC_ERR_ARG_WRONGSTATE there is no problem
 */
PetscErrorCode PrecondBuild(Precond precond, Vec lambda, Vec w);

/**
 * Tells the preconditioner how a solve with it went.
 *
 * @logicallycollective
 *
 * @param[in]     precond    the preconditioner
 * @param[in]     its        iterations
 * @param[in]     reduction  residual at the end over residual at the start
 */
PetscErrorCode PrecondTell(Precond precond, PetscInt its, PetscReal reduction);

/**
 * Applies the preconditioner: y = P^-1 x, an approximation of H^-1 x.
 *
 * @collective
 *
 * @param[in]     precond  the preconditioner, built
 * @param[in]     x        in w's space
 * @param[out]    y        likewise, another vector
 *
 * @raises PETSC_ERR_ARG_WRONGSTATE it was not built yet
 */
PetscErrorCode PrecondApply(Precond precond, Vec x, Vec y);

/**
 * Gives what the preconditioner has cost so far.
 *
 * @notcollective
 *
 * @param[in]     precond   the preconditioner
 * @param[out]    builds    how often it was built; may be NULL
 * @param[out]    products  products with H that the builds made, the diagonal counted as one; may be NULL
 */
PetscErrorCode PrecondGetCost(Precond precond, PetscInt *builds, PetscInt *products);

/**
 * Gives the bytes this rank needs for it at most.
 *
 * @notcollective
 *
 * @param[in]     precond  the preconditioner, with a problem
 * @param[out]    bytes    memory of this rank, bytes
 */
PetscErrorCode PrecondGetMemory(Precond precond, PetscLogDouble *bytes);

/**
 * Prints the settings, and what it has cost.
 *
 * @collective
 *
 * @param[in]     precond  the preconditioner
 * @param[in]     viewer   ASCII viewer, to others nothing is printed; NULL: standard output
 */
PetscErrorCode PrecondView(Precond precond, PetscViewer viewer);

/**
 * Adds a type of preconditioner.
 *
 * @notcollective
 *
 * @param[in]     type    its name; copied
 * @param[in]     create  fills the table of operations and the data of one that becomes of this type
 */
PetscErrorCode PrecondRegister(const char type[], PetscErrorCode (*create)(Precond));

/**
 * Gives the names of all registered types.
 *
 * @notcollective
 *
 * @param[out]    n      their number
 * @param[out]    types  their names; free the array (not the names) with PetscFree()
 */
PetscErrorCode PrecondGetRegistered(PetscInt *n, const char ***types);

#if defined(__cplusplus)
}
#endif
#endif
